//! Taking clients from the accept queue while there is room.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use blocking::{
    AfterAccept, Complaint, REST, accept_nonblocking, after_failed_accept,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Doing, Failure, LimitOptions, Log};
use threads::connection_limit;

use crate::Interest;

// ANCHOR: acceptor
/// The listener, and whether to take from it now.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: OwnedFd,
    limit: usize,
    /// Descriptors or memory had run out: when to try again.
    rest_until: Option<Instant>,
    complaint: Complaint,
}

/// What came of trying to accept.
pub(crate) enum Accepted {
    /// The next client and its address.
    Client(OwnedFd, SocketAddr),
    /// The next client, who is gone already.
    Gone,
    /// The queue is empty.
    Nobody,
    /// The queue may hold clients, but something has run out.
    NotNow,
}
// ANCHOR_END: acceptor

impl Acceptor {
    /// # Errors
    /// None for a listener that is open.
    // ANCHOR: new
    pub(crate) fn new(
        listener: OwnedFd,
        limits: &LimitOptions,
    ) -> Result<Self, Failure> {
        fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(|e| Doing::Option.failed(e))?;
        let limit = connection_limit(limits.max_connections);
        Ok(Self {
            listener,
            limit,
            rest_until: None,
            complaint: Complaint::default(),
        })
    }
    // ANCHOR_END: new

    /// What the listener waits for, with `open` clients being served.
    // ANCHOR: wants
    pub(crate) fn wants(&self, open: usize) -> Interest {
        let room = open < self.limit && self.rest_until.is_none();
        Interest { read: room, write: false }
    }
    // ANCHOR_END: wants

    /// Takes the next client.
    // ANCHOR: accept
    pub(crate) fn accept(&mut self, now: Instant, log: &mut Log) -> Accepted {
        match accept_nonblocking(&self.listener) {
            Ok((socket, peer)) => Accepted::Client(socket, peer),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Accepted::Nobody,
            Err(e) if after_failed_accept(&e) == AfterAccept::TryAgain => {
                Accepted::Gone
            }
            Err(e) => {
                self.rest(&Doing::Accept.failed(e), now, log);
                Accepted::NotNow
            }
        }
    }
    // ANCHOR_END: accept

    /// Leaves the queue alone until somebody leaves, or for a while: whatever
    /// has run out is not there any sooner for our asking.
    // ANCHOR: rest
    pub(crate) fn rest(
        &mut self,
        failure: &Failure,
        now: Instant,
        log: &mut Log,
    ) {
        self.rest_until = Some(now + REST);
        self.complaint.make(failure, log);
    }

    /// Ends a rest that is over: its time has come, or `somebody_left`.
    pub(crate) fn look_up(&mut self, now: Instant, somebody_left: bool) {
        self.rest_until =
            self.rest_until.filter(|&end| now < end && !somebody_left);
    }

    /// When a rest will be over, if there is one.
    pub(crate) fn rest_until(&self) -> Option<Instant> {
        self.rest_until
    }
    // ANCHOR_END: rest
}

impl AsFd for Acceptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
