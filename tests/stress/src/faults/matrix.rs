//! Which calls each server makes once it has started, and what each may say.

use harness::steps::Target;

use super::fault::{Effect, Fault, Frequency};
use super::manual::{
    ACCEPT, CLONE, CLOSE, ENTER, EPOLL_CTL, INTERRUPTED, MEMORY, NO_MEMORY,
    PEER, POLL, RECEIVE, SEND, SHUTDOWN, WOULD_BLOCK, WRITE,
};
use Effect::{EndsOne, KeepsOneOpen, LosesBytes, Nothing};

/// A call, and what it may answer.
#[derive(Clone, Copy, Debug)]
struct Row {
    call: &'static str,
    errors: &'static [&'static str],
    effect: Effect,
    first: u32,
    often: &'static [Frequency],
}

/// The first three calls of each thread succeed: a client that asks for little
/// is never hit where each client has a thread.
const fn row(
    call: &'static str,
    errors: &'static [&'static str],
    effect: Effect,
) -> Row {
    Row { call, errors, effect, first: 4, often: &Frequency::ALL }
}

/// A call that a thread makes only once or so, such as at its end.
const fn rare(
    call: &'static str,
    errors: &'static [&'static str],
    effect: Effect,
) -> Row {
    Row { first: 1, ..row(call, errors, effect) }
}

const ALL: &[Row] = &[
    rare("close", CLOSE, KeepsOneOpen),
    row("poll", POLL, Nothing),
    row("write", WRITE, Nothing),
    // About a peer that is gone. Of every peer it would be a wrong answer.
    Row {
        often: &[Frequency::Once, Frequency::EveryThird],
        ..rare("shutdown", SHUTDOWN, Nothing)
    },
];

/// Of those that call once for each transfer.
const TRANSFERS: &[Row] = &[
    row("recvfrom", INTERRUPTED, Nothing),
    row("recvfrom", RECEIVE, EndsOne),
    row("sendto", INTERRUPTED, Nothing),
    row("sendto", SEND, EndsOne),
    row("sendto", &[], LosesBytes),
];

/// Sockets that wait say EAGAIN where SO_RCVTIMEO has ended the wait.
const WAITING: &[Row] = &[
    row("accept", ACCEPT, Nothing),
    row("accept", WOULD_BLOCK, Nothing),
    row("recvfrom", WOULD_BLOCK, EndsOne),
    row("sendto", WOULD_BLOCK, EndsOne),
];

/// Without `futex`: `strace` cannot tell a wait, which may be interrupted, from
/// a wake, which may not. And without the first three times that a new thread
/// itself asks for memory: where it gets none for the stack of its signal
/// handlers, Rust's runtime ends the process, and so step 02 stays below the
/// number of threads at which that happens.
const THREADS: &[Row] = &[
    row("clone3", CLONE, EndsOne),
    row("mmap", MEMORY, EndsOne),
    row("mprotect", NO_MEMORY, EndsOne),
    rare("munmap", NO_MEMORY, Nothing),
    rare("madvise", MEMORY, Nothing),
    rare("sigaltstack", NO_MEMORY, Nothing),
    rare("read", WOULD_BLOCK, Nothing),
    rare("read", INTERRUPTED, Nothing),
    rare("rt_sigtimedwait", INTERRUPTED, Nothing),
];

const EVENTS: &[Row] = &[
    row("accept4", ACCEPT, Nothing),
    row("epoll_wait", INTERRUPTED, Nothing),
    row("epoll_ctl", EPOLL_CTL, EndsOne),
];

/// Where the signals come as a descriptor among the others.
const SIGNALFD: &[Row] = &[rare("read", INTERRUPTED, Nothing)];

/// An EAGAIN that is not true. A server that waits for an edge has to believe
/// that there is nothing; one that is told the level finds out.
const LEVEL: &[Row] = &[
    row("accept4", WOULD_BLOCK, Nothing),
    row("recvfrom", WOULD_BLOCK, Nothing),
    row("sendto", WOULD_BLOCK, Nothing),
    rare("read", WOULD_BLOCK, Nothing),
];

/// What the ring does is one call, whose own errors these are: those of the
/// operations come in their completions, where `strace` cannot put any.
const RINGS: &[Row] = &[
    row("io_uring_enter", ENTER, Nothing),
    rare("getpeername", PEER, EndsOne),
    rare("read", INTERRUPTED, Nothing),
];

/// The rows that concern `target`.
fn rows(target: &Target) -> &'static [&'static [Row]] {
    match (target.name, target.mode) {
        ("01-blocking", _) => &[ALL, TRANSFERS, WAITING],
        ("02-threads", _) => &[ALL, TRANSFERS, WAITING, THREADS],
        ("09-uring", _) => &[ALL, RINGS],
        (_, "level") => &[ALL, TRANSFERS, EVENTS, SIGNALFD, LEVEL],
        _ => &[ALL, TRANSFERS, EVENTS, SIGNALFD],
    }
}

/// What `target` is started with besides, so that it makes all these calls.
pub(super) fn options(target: &Target) -> &'static [&'static str] {
    match target.name {
        "02-threads" => &["--idle-timeout", "3600"],
        _ => &[],
    }
}

/// All that `target` has to bear, call by call.
pub fn matrix(target: &'static Target) -> impl Iterator<Item = Fault> {
    let mut rows: Vec<_> = rows(target).iter().copied().flatten().collect();
    rows.sort_by_key(|row| row.call);
    rows.into_iter().flat_map(|row| row.faults())
}

impl Row {
    fn faults(self) -> impl Iterator<Item = Fault> {
        let Self { call, errors, effect, first, often } = self;
        let partial = errors.is_empty().then_some(None);
        let answers = errors.iter().copied().map(Some).chain(partial);
        answers.flat_map(move |error| {
            often.iter().map(move |&often| Fault {
                call,
                error,
                often,
                effect,
                first,
            })
        })
    }
}
