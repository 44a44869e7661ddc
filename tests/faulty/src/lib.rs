//! Faulty servers: to be run and broken by a reader, and to test the suite.
//!
//! Each is the right server with one decision made as it is made in tutorials,
//! and for each stands here exactly which cases it fails. A case that no wrong
//! server fails may be worth nothing; a wrong server that passes says that a
//! case is missing.
//!
//! | file | its one idea |
//! |---|---|
//! | `server.rs` | the right server, whole, and every decision that it makes |
//! | `framing.rs` | wrong: where a message ends |
//! | `readiness.rs` | wrong: what an event says, and when it comes again |
//! | `sending.rs` | wrong: replies that the kernel does not take at once |
//! | `errors.rs` | wrong: what a system call says when it fails |
//! | `idle.rs` | wrong: which client is idle, and when |
//! | `options.rs` | the command line, and the list that it prints |
//! | `expected_failures.rs` | whether a server fails the cases that it must, and no other |
//!
//! # To add a wrong server
//!
//! 1. Find the decision in `server.rs`: the methods of the trait `Server`. If
//!    it is not one yet, make it one.
//! 2. In the file of its theme, write a struct without fields, and an
//!    `impl Server` that replaces that method alone. A page of the book shows it.
//! 3. Beside it, a [`FaultyServer`]: its name, the page that breaks it, its
//!    mistake in a few words, and the cases that it must fail. Add it to [`ALL`].
//! 4. `cargo test -p faulty` holds it to that list: it must fail those and no
//!    other. What it fails or not, as a race goes, is in `may_fail`.

#![cfg(target_os = "linux")]

mod errors;
mod expected_failures;
mod framing;
mod idle;
mod options;
mod readiness;
mod sending;
mod server;

use std::fmt::{self, Debug, Formatter};

pub use options::{Options, run};
use server::{EventLoop, Server};

/// A server, its fault, and the cases that catch it.
#[derive(Clone, Copy)]
pub struct FaultyServer {
    /// What it is started by.
    pub name: &'static str,
    /// The page of the book on which a reader breaks it.
    pub chapter: &'static str,
    /// What it does, in a few words.
    pub fault: &'static str,
    server: &'static dyn Server,
    /// Cases that it fails each time; it fails no other.
    fails: &'static [&'static str],
    /// Save these, which it fails or not, as a race goes.
    may_fail: &'static [&'static str],
}

impl FaultyServer {
    /// Whether it fails a case whose name contains `part`, each time.
    #[must_use]
    pub fn is_caught_by(&self, part: &str) -> bool {
        let part = part.replace(' ', "_");
        self.fails.iter().any(|name| name.contains(&part))
    }

    /// Listens, says where, and serves until SIGINT or SIGTERM comes. An error
    /// is a line for stderr.
    fn serve(&self, options: &Options) -> Result<(), String> {
        let Options { listen, limits, .. } = options;
        let listener = blocking::listen(listen.address(), listen.backlog)
            .map_err(|error| error.to_string())?;
        EventLoop::new(self.server, listener.into(), limits.clone())
            .and_then(|mut event_loop| event_loop.run())
            .map_err(|error| format!("[!] {error}"))
    }
}

impl Debug for FaultyServer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The server beside the wrong ones: nothing is replaced.
struct Right;

impl Server for Right {}

const RIGHT: FaultyServer = FaultyServer {
    name: "right",
    chapter: "testing",
    fault: "makes none: compare the others with it",
    server: &Right,
    fails: &[],
    may_fail: &[],
};

/// All, in the order in which the book breaks them; the right one comes last.
pub static ALL: [FaultyServer; 28] = [
    framing::ONE_RECV,
    framing::CUT_AT_NUL,
    framing::WHOLE_BUFFER,
    framing::NO_LIMIT,
    framing::LIMIT_PER_PIECE,
    sending::LOST_AT_THE_END,
    errors::FATAL_RESET,
    errors::SPIN,
    sending::EXIT,
    framing::LEFT_OVER,
    errors::FATAL_LIMIT,
    errors::FATAL_STOP,
    readiness::READ_ONCE,
    readiness::ACCEPT_ONCE,
    errors::LEVEL_SPIN,
    readiness::URGENT,
    readiness::ALWAYS_WRITABLE,
    errors::LEAK,
    sending::PARTIAL,
    sending::BLOCKING,
    readiness::LEFT_UNREAD,
    readiness::GREEDY,
    readiness::QUEUE_FORGOTTEN,
    idle::CLOCK_FIRST,
    idle::STOP_IS_ACTIVITY,
    sending::RESET,
    sending::ENDLESS_DRAIN,
    RIGHT,
];
