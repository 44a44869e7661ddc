//! What is due when: time as one more descriptor to wait for.
//!
//! The timeout of `epoll_wait` counts in whole milliseconds, and a request
//! that is sent half a millisecond late would be a slow reply in the figures.
//! A timer from `timerfd_create` counts in nanoseconds and becomes readable
//! like a socket. `man 2 timerfd_create`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{
    ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags,
};

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// From here on it counts.
    Begin,
    /// Look at the server and at the kernel's counters.
    Sample,
    /// From here on no request is sent.
    End,
    /// A user's next request.
    Request(usize),
}

/// All that is due at some time, and a timer that is set to the first of it.
// ANCHOR: agenda
#[derive(Debug)]
pub(crate) struct Agenda {
    timer: TimerFd,
    set_to: Option<Instant>,
    entries: BinaryHeap<Reverse<(Instant, Entry)>>,
}

impl Agenda {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new() -> nix::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self { timer, set_to: None, entries: BinaryHeap::new() })
    }

    pub(crate) fn add(&mut self, due: Instant, entry: Entry) {
        self.entries.push(Reverse((due, entry)));
    }

    /// The first entry that is due by `now`, with the time when it was.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(Instant, Entry)> {
        let Reverse((due, _)) = self.entries.peek()?;
        if *due > now {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry)
    }

    /// Sets the timer to what is due first, if it is not already.
    pub(crate) fn set_timer(&mut self) -> Result<(), Errno> {
        let first = self.entries.peek().map(|Reverse((due, _))| *due);
        if first == self.set_to {
            return Ok(());
        }
        self.set_to = first;
        let Some(due) = first else { return self.timer.unset() };
        // Zero would switch the timer off.
        let left = due.saturating_duration_since(Instant::now());
        let left = TimeSpec::from(left.max(Duration::from_nanos(1)));
        let once = Expiration::OneShot(left);
        self.timer.set(once, TimerSetTimeFlags::empty())
    }
}
// ANCHOR_END: agenda

impl AsFd for Agenda {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
