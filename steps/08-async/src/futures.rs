//! Futures written by hand: a time, a condition, the first of two.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::Runtime;

impl Runtime {
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
}

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

/// Waits until `is_true` is. It is looked at whenever the task is polled: what
/// makes it true has to wake the task.
pub fn until(
    is_true: impl Fn() -> bool + Unpin,
) -> impl Future<Output = ()> + Unpin {
    poll_fn(move |_| if is_true() { Poll::Ready(()) } else { Poll::Pending })
}

/// Waits for whichever is ready first: `None` if that is `second`. The loser is
/// dropped, unless it was lent (`&mut`).
pub fn race<T>(
    mut first: impl Future<Output = T> + Unpin,
    mut second: impl Future<Output = ()> + Unpin,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| match Pin::new(&mut first).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Pin::new(&mut second).poll(cx).map(|()| None),
    })
}
