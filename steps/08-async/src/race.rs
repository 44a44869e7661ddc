//! Waiting for two things at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Waits for whichever is ready first: `None` if that is `second`. The loser is
/// dropped, unless it was lent (`&mut`).
pub fn race<T>(
    mut first: impl Future<Output = T> + Unpin,
    mut second: impl Future<Output = ()> + Unpin,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| {
        if let Poll::Ready(output) = Pin::new(&mut first).poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(&mut second).poll(cx).map(|()| None)
    })
}

/// Waits until `is_true` is. It is looked at whenever the task is polled: what
/// makes it true has to wake the task.
pub fn until(
    is_true: impl Fn() -> bool + Unpin,
) -> impl Future<Output = ()> + Unpin {
    poll_fn(move |_| if is_true() { Poll::Ready(()) } else { Poll::Pending })
}
