//! Waiting for more than one: fewer wake-ups, for some latency.
//!
//! Many clients that are active bring the next request within microseconds, and
//! a wait that ends at the first of them is soon followed by another. A client
//! that is alone brings the next one when it has its reply. So the number to
//! wait for has to follow the clients that are active, however many there are.

use std::time::{Duration, Instant};

/// For how long the active clients are counted.
const WINDOW: Duration = Duration::from_millis(5);
/// One of so many active clients is waited for.
const SHARE: usize = 8;

// ANCHOR: batch
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of this window, and when it ends.
    window: u32,
    end: Instant,
    /// Clients that were active in this window.
    active: usize,
    /// The number to wait for, by the window before.
    size: usize,
}

impl Batch {
    pub(crate) fn new(now: Instant) -> Self {
        Self { window: 1, end: now + WINDOW, active: 0, size: 0 }
    }

    /// Counts a client that is active, once in each window: `last` is its last.
    pub(crate) fn count(&mut self, last: &mut u32) {
        self.active += usize::from(*last != self.window);
        *last = self.window;
    }

    /// How many requests to wait for.
    pub(crate) fn size(&mut self, now: Instant) -> usize {
        if now >= self.end {
            self.size = self.active / SHARE;
            self.active = 0;
            self.window = self.window.wrapping_add(1);
            self.end = now + WINDOW;
        }
        self.size
    }
}
// ANCHOR_END: batch
