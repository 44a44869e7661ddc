//! The listener, and whether to take from its queue now.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use blocking::{Backoff, accept_nonblocking};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Result, ResultExt};

use crate::{Interest, Poller};

// ANCHOR: listener
#[derive(Debug)]
pub(crate) struct Listener {
    socket: OwnedFd,
    max_connections: usize,
    /// Descriptors or memory had run out.
    pub(crate) backoff: Backoff,
    /// What epoll waits for; `None`: to be registered anew, which re-arms.
    pub(crate) registered: Option<Interest>,
}

impl Listener {
    /// Registers `socket`, which is made non-blocking, with `token`.
    ///
    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    pub(crate) fn new(
        socket: OwnedFd,
        max_connections: usize,
        poller: &Poller,
        token: u64,
    ) -> Result<Self> {
        fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .context(Call::SetSockOpt)?;
        let registered = Some(Interest::READABLE);
        poller.register(&socket, token, Interest::READABLE)?;
        let backoff = Backoff::default();
        Ok(Self { socket, max_connections, backoff, registered })
    }

    /// Takes the next connection from the queue.
    ///
    /// # Errors
    /// `WouldBlock`: the queue is empty. Otherwise as [`blocking::accept`].
    pub(crate) fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        accept_nonblocking(&self.socket)
    }

    /// Whether there is room for another connection, with `open` of them.
    pub(crate) fn has_room(&self, open: usize) -> bool {
        open < self.max_connections && self.backoff.until().is_none()
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
            poller.reregister(&self.socket, token, interest)?;
            self.registered = Some(interest);
        }
        Ok(())
    }
}
// ANCHOR_END: listener
