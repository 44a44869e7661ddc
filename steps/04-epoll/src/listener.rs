//! Where a loop's connections come from.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use blocking::accept_nonblocking;
use protocol::Result;

use crate::poller::{Interest, Poller};

/// Here the accept queue of a listener, in step 07 something that several loops
/// share. Its descriptor is readable when there is a connection.
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
// ANCHOR: listener
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: OwnedFd,
    pub(crate) max_connections: usize,
}

impl Incoming for Listener {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        accept_nonblocking(&self.socket)
    }

    fn has_room(&self, open: usize) -> bool {
        open < self.max_connections
    }
}
// ANCHOR_END: listener

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
