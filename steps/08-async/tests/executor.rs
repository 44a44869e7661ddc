//! Which task has its turn, and when.
#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use async_server::{Runtime, until};

/// A task without end, which wakes itself so often at each turn; and the number
/// of its turns.
fn spawn(runtime: &Runtime, wake_ups: usize) -> Rc<Cell<usize>> {
    let turns = Rc::new(Cell::new(0));
    let counted = Rc::clone(&turns);
    runtime.spawn(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        (0..wake_ups).for_each(|_| cx.waker().wake_by_ref());
        Poll::Pending
    }));
    turns
}

#[test]
fn a_task_that_is_woken_twice_has_one_turn() -> protocol::Result<()> {
    let runtime = Runtime::new()?;
    let (twice, once) = (spawn(&runtime, 2), spawn(&runtime, 1));
    let enough = until(|| twice.get() >= 1_000);
    runtime.block_on(enough, || {})?;
    assert!(once.get().abs_diff(twice.get()) <= 1, "{once:?}, {twice:?}");
    Ok(())
}
