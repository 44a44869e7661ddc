//! Which calls each server makes once it has started, and what each may say.

use super::fault::{Effect, Fault, Often};
use super::manual::{
    ACCEPT, CLONE, CLOSE, EPOLL_CTL, INTERRUPTED, MEMORY, NO_MEMORY, OPTION,
    POLL, RECEIVE, SEND, SHUTDOWN, WOULD_BLOCK, WRITE,
};
use Effect::{EndsOne, KeepsOneOpen, LosesBytes, Nothing};

/// A server in one of its modes.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// The program's name.
    pub name: &'static str,
    /// Its mode, where it has several.
    pub mode: &'static str,
    /// The options that bring it into that mode.
    pub options: &'static [&'static str],
    /// It serves one client after the other.
    pub one_at_a_time: bool,
    rows: &'static [&'static [Row]],
}

/// A call, and what it may answer.
#[derive(Clone, Copy, Debug)]
struct Row {
    call: &'static str,
    errors: &'static [&'static str],
    effect: Effect,
    first: u32,
    often: &'static [Often],
}

/// The first three calls of each thread succeed: a client that asks for little
/// is never hit where each client has a thread.
const fn row(
    call: &'static str,
    errors: &'static [&'static str],
    effect: Effect,
) -> Row {
    Row { call, errors, effect, first: 4, often: &Often::ALL }
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
    row("recvfrom", INTERRUPTED, Nothing),
    row("recvfrom", RECEIVE, EndsOne),
    row("sendto", INTERRUPTED, Nothing),
    row("sendto", SEND, EndsOne),
    row("sendto", &[], LosesBytes),
    rare("close", CLOSE, KeepsOneOpen),
    row("poll", POLL, Nothing),
    row("write", WRITE, Nothing),
    // About a peer that is gone. Of every peer it would be a wrong answer.
    Row {
        often: &[Often::Once, Often::EveryThird],
        ..rare("shutdown", SHUTDOWN, Nothing)
    },
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
    rare("getsockopt", OPTION, Nothing),
    rare("read", WOULD_BLOCK, Nothing),
    rare("read", INTERRUPTED, Nothing),
    rare("rt_sigtimedwait", INTERRUPTED, Nothing),
];

const EVENTS: &[Row] = &[
    row("accept4", ACCEPT, Nothing),
    row("epoll_wait", INTERRUPTED, Nothing),
    row("epoll_ctl", EPOLL_CTL, EndsOne),
    rare("read", INTERRUPTED, Nothing),
];

/// An EAGAIN that is not true. Who waits for an edge has to believe that there
/// is nothing; who is told the level finds out.
const LEVEL: &[Row] = &[
    row("accept4", WOULD_BLOCK, Nothing),
    row("recvfrom", WOULD_BLOCK, Nothing),
    row("sendto", WOULD_BLOCK, Nothing),
    rare("read", WOULD_BLOCK, Nothing),
];

const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: "01-blocking",
        mode: "",
        options: &[],
        one_at_a_time: true,
        rows: &[ALL, WAITING],
    },
    Contestant {
        name: "02-threads",
        mode: "",
        options: &["--idle-timeout", "3600"],
        one_at_a_time: false,
        rows: &[ALL, WAITING, THREADS],
    },
    Contestant {
        name: "04-epoll",
        mode: "edge",
        options: &["--trigger", "edge"],
        one_at_a_time: false,
        rows: &[ALL, EVENTS],
    },
    Contestant {
        name: "04-epoll",
        mode: "level",
        options: &["--trigger", "level"],
        one_at_a_time: false,
        rows: &[ALL, EVENTS, LEVEL],
    },
];

/// The servers whose names begin with `prefix`, in each of their modes.
pub fn contestants(prefix: &str) -> impl Iterator<Item = &'static Contestant> {
    CONTESTANTS.iter().filter(move |who| who.name.starts_with(prefix))
}

/// All that `who` has to bear, call by call.
pub fn matrix(who: &'static Contestant) -> impl Iterator<Item = Fault> {
    let mut rows: Vec<_> = who.rows.iter().copied().flatten().collect();
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
