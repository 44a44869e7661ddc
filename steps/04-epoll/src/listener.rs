//! The listener, and whether to take from its queue now.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use blocking::{Backoff, accept_nonblocking};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Result, ResultExt};

use crate::{Interest, Poller};

/// Where a loop's connections come from: here the accept queue, in step 07
/// something that several loops share.
// ANCHOR: incoming
pub trait Incoming: AsFd + Send {
    /// Takes the next connection.
    ///
    /// # Errors
    /// `WouldBlock`: there is none now. Otherwise as [`blocking::accept`].
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)>;

    /// Whether there is room for another one, where this loop has `open`.
    fn has_room(&self, open: usize) -> bool;

    /// A connection that came from here was closed.
    fn on_close(&self) {}

    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    fn register(&self, poller: &Poller, token: u64) -> Result<()> {
        poller.register(self.as_fd(), token, Interest::READABLE)
    }

    /// # Errors
    /// ENOMEM: see [`Poller::reregister`].
    fn reregister(
        &self,
        poller: &Poller,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        poller.reregister(self.as_fd(), token, interest)
    }
}
// ANCHOR_END: incoming

/// The accept queue of a socket that listens.
#[derive(Debug)]
pub(crate) struct AcceptQueue {
    pub(crate) socket: OwnedFd,
    pub(crate) max_connections: usize,
}

impl AsFd for AcceptQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Incoming for AcceptQueue {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        accept_nonblocking(&self.socket)
    }

    fn has_room(&self, open: usize) -> bool {
        open < self.max_connections
    }
}

// ANCHOR: listener
pub(crate) struct Listener {
    pub(crate) incoming: Box<dyn Incoming>,
    /// Descriptors or memory had run out.
    pub(crate) backoff: Backoff,
    /// What epoll waits for; `None`: to be registered anew, which re-arms.
    pub(crate) registered: Option<Interest>,
}

impl Listener {
    /// Registers `incoming`, which is made non-blocking, with `token`.
    ///
    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    pub(crate) fn new(
        incoming: Box<dyn Incoming>,
        poller: &Poller,
        token: u64,
    ) -> Result<Self> {
        fcntl(incoming.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .context(Call::SetSockOpt)?;
        incoming.register(poller, token)?;
        let registered = Some(Interest::READABLE);
        Ok(Self { incoming, backoff: Backoff::default(), registered })
    }

    /// Whether there is room for another connection, with `open` of them.
    pub(crate) fn has_room(&self, open: usize) -> bool {
        self.incoming.has_room(open) && self.backoff.until().is_none()
    }

    /// Makes epoll wait for clients while there is room for them.
    ///
    /// # Errors
    /// ENOMEM.
    pub(crate) fn reregister(
        &mut self,
        open: usize,
        poller: &Poller,
        token: u64,
    ) -> Result<()> {
        let interest =
            Interest { readable: self.has_room(open), writable: false };
        if self.registered != Some(interest) {
            self.incoming.reregister(poller, token, interest)?;
            self.registered = Some(interest);
        }
        Ok(())
    }
}
// ANCHOR_END: listener
