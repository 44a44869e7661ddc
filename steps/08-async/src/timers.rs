//! Waiting until a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
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
        let (due, _) = *self.wakers.borrow().keys().next()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn wake_due(&self) {
        while self.timeout().is_some_and(|left| left.is_zero()) {
            let due = self.wakers.borrow_mut().pop_first();
            due.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

/// A future written by hand: a struct, and `poll`.
// ANCHOR: sleep
struct Sleep<'a>(&'a Timers, Key);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self(timers, key) = *self;
        if key.0 <= Instant::now() {
            return Poll::Ready(());
        }
        timers.wakers.borrow_mut().insert(key, cx.waker().clone());
        Poll::Pending
    }
}

/// One that is dropped waits no longer.
impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.0.wakers.borrow_mut().remove(&self.1);
    }
}
// ANCHOR_END: sleep

impl Runtime {
    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        let number = self.timers.last.get() + 1;
        self.timers.last.set(number);
        Sleep(&self.timers, (Instant::now() + duration, number))
    }
}
