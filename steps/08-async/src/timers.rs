//! Waiting until a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::Runtime;

/// When a task is due, and a number that keeps two of them apart.
type Key = (Instant, u64);

/// The tasks that wait for a time, in the order in which they are due.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    wakers: RefCell<BTreeMap<Key, Waker>>,
    last: Cell<u64>,
}

impl Timers {
    /// How long it is until the first is due.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let wakers = self.wakers.borrow();
        let (due, _) = wakers.keys().next()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn wake_due(&self) {
        let mut wakers = self.wakers.borrow_mut();
        let is_due = |(due, _): &Key| *due <= Instant::now();
        while wakers.keys().next().is_some_and(is_due) {
            wakers.pop_first().into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

/// Keeps an entry as long as its future lives: one that is dropped waits no
/// longer.
struct Entry<'a>(&'a Timers, Key);

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.wakers.borrow_mut().remove(&self.1);
    }
}

impl Runtime {
    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        let timers = &self.timers;
        timers.last.set(timers.last.get() + 1);
        let key = (Instant::now() + duration, timers.last.get());
        let entry = Entry(timers, key);
        poll_fn(move |cx| {
            let Entry(timers, key) = &entry;
            if key.0 <= Instant::now() {
                return Poll::Ready(());
            }
            timers.wakers.borrow_mut().insert(*key, cx.waker().clone());
            Poll::Pending
        })
    }
}
