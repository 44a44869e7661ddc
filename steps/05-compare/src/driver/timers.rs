//! What is due when: time as one more descriptor to wait for.
//!
//! It counts in nanoseconds, and the timeout of `epoll_wait` in milliseconds.
//! `man 2 timerfd_create`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{
    ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// From here on it counts.
    Begin,
    /// Look at the server, and at requests that have had their time.
    Look,
    /// From here on no request is due.
    End,
    /// Stop waiting for what is still missing.
    GiveUp,
    /// A user's next request, which is due at that time: it may be sent later.
    Request(usize, Instant),
}

/// All that is due at some time, and a timer of the kernel for the first of it.
#[derive(Debug)]
pub(crate) struct Timers {
    timer: TimerFd,
    armed_for: Option<Instant>,
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    pub(crate) fn new() -> nix::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self { timer, armed_for: None, heap: BinaryHeap::new() })
    }

    pub(crate) fn add(&mut self, due: Instant, timer: Timer) {
        self.heap.push(Reverse((due, timer)));
    }

    /// The first timer that is due by `now`, with the time when it was.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        let Reverse((due, _)) = self.heap.peek()?;
        if *due > now {
            return None;
        }
        self.heap.pop().map(|Reverse(timer)| timer)
    }

    /// Takes out all requests that were due before `end`: whose, and when.
    pub(crate) fn take_requests(
        &mut self,
        end: Instant,
    ) -> Vec<(usize, Instant)> {
        let request = |Reverse((_, timer))| match timer {
            Timer::Request(user, due) if due < end => Some((user, due)),
            _ => None,
        };
        self.heap.drain().filter_map(request).collect()
    }

    /// Whether a request that was due before `end` is still to be sent.
    pub(crate) fn has_request(&self, end: Instant) -> bool {
        self.heap.iter().any(|Reverse((_, timer))| {
            matches!(timer, Timer::Request(_, due) if *due < end)
        })
    }

    /// Arms the kernel's timer for what is due first, if it is not already.
    pub(crate) fn arm(&mut self) -> Result<(), Errno> {
        let first = self.heap.peek().map(|Reverse((due, _))| *due);
        if first == self.armed_for {
            return Ok(());
        }
        self.armed_for = first;
        let Some(due) = first else { return self.timer.unset() };
        // Zero would switch the timer off.
        let left = due.saturating_duration_since(Instant::now());
        let left = TimeSpec::from(left.max(Duration::from_nanos(1)));
        let once = Expiration::OneShot(left);
        self.timer.set(once, TimerSetTimeFlags::empty())
    }
}

impl AsFd for Timers {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
