//! A time to wake up at: a timeout as one more operation.

use std::time::{Duration, Instant};

use threads::IdleTimer;

use crate::operation::{Key, Operation};
use crate::ring::Ring;

/// At most one timeout in flight that counts.
#[derive(Debug)]
pub(crate) struct Timer {
    token: u32,
    /// The timeout in flight, and when it ends.
    in_flight: Option<(Key, Instant)>,
}

impl Timer {
    pub(crate) fn new(token: u32) -> Self {
        Self { token, in_flight: None }
    }

    /// Has the ring wake up at `due`, or before.
    pub(crate) fn set(&mut self, due: Instant, ring: &mut Ring) {
        match self.in_flight {
            Some((_, at)) if at <= due => return,
            Some((later, _)) => ring.cancel(later),
            None => {}
        }
        let after = due.saturating_duration_since(Instant::now());
        let key = ring.start(Operation::timeout(after), self.token);
        self.in_flight = Some((key, due));
    }

    /// Takes note of a completion, unless it is that of one which was cancelled:
    /// then there is another by now.
    pub(crate) fn complete(&mut self, now: Instant) {
        self.in_flight = self.in_flight.filter(|&(_, at)| now < at);
    }
}

/// When to look for idle clients.
#[derive(Debug)]
pub(crate) struct IdleCheck {
    timeout: Option<Duration>,
    next: Option<Instant>,
}

impl IdleCheck {
    pub(crate) fn new(timeout: Option<Duration>, now: Instant) -> Self {
        Self { timeout, next: timeout.map(|_| now) }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// The timeout of clients, when it is time to look; then the next time is
    /// a part of that later.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Duration> {
        let timeout = self.timeout?;
        self.next.filter(|&due| due <= now)?;
        self.next = Some(now + IdleTimer::interval(timeout));
        Some(timeout)
    }
}
