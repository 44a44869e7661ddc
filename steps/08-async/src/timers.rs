//! Waiting until a time.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::Runtime;

impl Runtime {
    /// Wakes the tasks that are due. Returns how long it is until the next is.
    pub(crate) fn wake_due(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut timers = self.timers.borrow_mut();
        while let Some(first) = timers.first_entry() {
            if *first.key() > now {
                return Some(*first.key() - now);
            }
            first.remove().wake();
        }
        None
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        let mut due = Instant::now() + duration;
        let mut timers = self.timers.borrow_mut();
        // No two are due at once: the time is the key.
        while timers.contains_key(&due) {
            due += Duration::from_nanos(1);
        }
        timers.insert(due, Waker::noop().clone());
        Sleep(self, due)
    }
}

/// A future written by hand: a struct, and `poll`.
struct Sleep<'a>(&'a Runtime, Instant);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self(runtime, due) = *self;
        if due <= Instant::now() {
            return Poll::Ready(());
        }
        runtime.timers.borrow_mut().insert(due, cx.waker().clone());
        Poll::Pending
    }
}

/// One that is dropped waits no longer.
impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.0.timers.borrow_mut().remove(&self.1);
    }
}
