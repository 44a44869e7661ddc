//! What to do when `accept` fails: `man 2 accept`, section ERRORS.

use std::io;
use std::time::{Duration, Instant};

use protocol::{Error, Log};

/// Whether the error was about one connection, or about one call: the next
/// `accept` may succeed at once. Every other error is about this process or the
/// system, and would only come again: [`Backoff`]. No error of `accept` is a
/// reason to leave the clients that are being served.
pub fn is_connection_error(error: &io::Error) -> bool {
    use libc::*;
    matches!(
        error.raw_os_error(),
        // A signal came, or the queue of a non-blocking listener is empty.
        Some(
            EINTR | EAGAIN
        // The peer or the network ended the connection while it waited in the
        // queue. It is no longer there: take the next.
        | ECONNABORTED | EPROTO | ENOPROTOOPT | ENETDOWN | ENETUNREACH
        | EHOSTDOWN | EHOSTUNREACH | EOPNOTSUPP | ETIMEDOUT
        )
    )
    // Not EMFILE, ENFILE, ENOBUFS, ENOMEM: the connection stays in the queue.
    // Not EPERM: a firewall or seccomp rule forbids it, perhaps for good.
}

/// How long to leave `accept` alone.
const BACKOFF: Duration = Duration::from_millis(100);
/// How often the same error is logged while it lasts: a flood of clients must
/// not become a flood of lines.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// A pause after an error that would come again at once. It ends by itself, or
/// when a connection closes: that frees a descriptor.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    until: Option<Instant>,
    last_logged: Option<Instant>,
}

impl Backoff {
    /// Starts a pause of 100 ms, and logs `error` unless that was done a short
    /// while ago. Returns how long to wait.
    pub fn start(&mut self, error: &Error, log: &mut Log) -> Duration {
        let now = Instant::now();
        self.until = Some(now + BACKOFF);
        if self.last_logged.is_none_or(|last| now - last >= LOG_INTERVAL) {
            log.error(error);
            self.last_logged = Some(now);
        }
        BACKOFF
    }

    /// Ends the pause.
    pub fn reset(&mut self) {
        self.until = None;
    }

    /// When the pause ends, if it has not by `now`: one time for a whole turn.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|&until| until > now)
    }
}
