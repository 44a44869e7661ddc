//! Where a loop's connections come from.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use blocking::accept_nonblocking;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Result, ResultExt};

use crate::poller::{Interest, Poller};

/// Here the accept queue of a listener, in step 07 something that several loops
/// share. Its descriptor is readable when there is a connection.
pub trait Incoming: AsFd + Send {
    /// Takes the next connection.
    ///
    /// # Errors
    /// `WouldBlock`: there is none now. `UnexpectedEof`: none will come any
    /// more, and the loop shuts down. Otherwise as [`blocking::accept`].
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)>;

    /// Whether there is room for another one, where this loop has `open`.
    fn has_room(&self, _open: usize) -> bool {
        true
    }

    /// A connection that came from here was closed.
    fn on_close(&self) {}

    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    fn register(&self, poller: &Poller, token: u64) -> Result<()> {
        poller.register(self.as_fd(), token, Interest::READABLE)
    }
}

/// From here on no call on `socket` waits: it says `WouldBlock`. `man 2 fcntl`.
///
/// # Errors
/// None on a correct system.
pub fn set_nonblocking(socket: impl AsFd) -> Result<()> {
    let flags = FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
    fcntl(socket, flags).map(drop).context(Call::SetSockOpt)
}

/// The accept queue of a socket that listens.
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

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
