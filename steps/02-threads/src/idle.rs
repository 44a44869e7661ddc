//! Which clients are idle, by what the kernel counts.
//!
//! A timeout of `recv` begins anew whenever the process was stopped, and one of
//! `send` ends a client that reads slowly. So a thread looks at all connections.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use blocking::bytes_transferred;

/// Since when no byte has come on a connection, and none was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct IdleTimer {
    transferred: u64,
    since: Instant,
}

impl IdleTimer {
    /// The timer of a connection that was accepted at `now`.
    pub fn new(now: Instant) -> Self {
        Self { transferred: 0, since: now }
    }

    /// Whether nothing has been transferred on `socket` for `timeout`. To be
    /// called every [`interval`](Self::interval).
    pub fn is_expired(
        &mut self,
        socket: impl AsFd,
        now: Instant,
        timeout: Duration,
    ) -> bool {
        let transferred = bytes_transferred(socket).unwrap_or(self.transferred);
        if transferred != self.transferred {
            *self = Self { transferred, since: now };
        }
        now.duration_since(self.since) >= timeout
    }

    /// How often to look, with a timeout of so long.
    pub fn interval(timeout: Duration) -> Duration {
        (timeout / 4).min(Duration::from_secs(1))
    }
}
