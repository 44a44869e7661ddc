//! What to do when `accept` fails.
//!
//! A server that takes an error of `accept` for its own end can be ended by any
//! client that connects and resets. A server that takes it for nothing spins at
//! full speed once it is out of descriptors. `man 2 accept`, section ERRORS.

use std::io;
use std::time::{Duration, Instant};

use protocol::{Failure, Log};

/// How long a server leaves `accept` alone when trying at once would only fail
/// again.
pub const REST: Duration = Duration::from_millis(100);

/// What a server should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAccept {
    /// The error was about this one connection or this one call.
    TryAgain,
    /// We, or the whole system, are short of something (a descriptor, memory), or
    /// somebody forbids it: serve whom we have, and accept again when somebody
    /// leaves or after [`REST`].
    Rest,
}

/// Tells the two kinds of error apart. There is no third: nothing that `accept`
/// can say is a reason to leave the clients whom we serve.
// ANCHOR: after
#[must_use]
pub fn after_failed_accept(error: &io::Error) -> AfterAccept {
    match error.raw_os_error() {
        // A signal came, or the queue of a non-blocking listener is empty.
        Some(libc::EINTR | libc::EAGAIN) => AfterAccept::TryAgain,
        // The peer or the network ended the connection while it waited in the
        // queue. It is gone from there: take the next.
        Some(
            libc::ECONNABORTED
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ETIMEDOUT,
        ) => AfterAccept::TryAgain,
        // EMFILE, ENFILE, ENOBUFS, ENOMEM: it stays in the queue. And EPERM:
        // somebody forbids us to accept, and may go on to.
        _ => AfterAccept::Rest,
    }
}
// ANCHOR_END: after

/// How often a server complains of the same thing.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// Says on stderr that something has run out, but not for every client that
/// comes while it lasts: a flood of clients must not become a flood of lines.
#[derive(Debug, Default)]
pub struct Complaint {
    last: Option<Instant>,
}

impl Complaint {
    /// Logs `failure`, unless that was done a short while ago.
    pub fn make(&mut self, failure: &Failure, log: &mut Log) {
        let quiet = |last: Instant| last.elapsed() < COMPLAINT_INTERVAL;
        if !self.last.is_some_and(quiet) {
            log.alarm(failure);
            self.last = Some(Instant::now());
        }
    }
}
