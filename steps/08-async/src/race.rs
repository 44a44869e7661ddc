//! Waiting for two things at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Which of two futures was ready, and its output.
// ANCHOR: race
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// Waits for whichever is ready first; where both are, that is `first`. The
/// other one stays where it is pinned, to go on with or to drop.
pub fn race<A, B>(
    mut first: Pin<&mut impl Future<Output = A>>,
    mut second: Pin<&mut impl Future<Output = B>>,
) -> impl Future<Output = Either<A, B>> {
    poll_fn(move |cx| {
        if let Poll::Ready(output) = first.as_mut().poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        second.as_mut().poll(cx).map(Either::Second)
    })
}
// ANCHOR_END: race

/// Lets all others have their turn.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut has_yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Waits until `is_true` is. It is looked at whenever the task is polled: what
/// makes it true has to wake the task.
pub fn until(is_true: impl Fn() -> bool) -> impl Future<Output = ()> {
    poll_fn(move |_| match is_true() {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}
