//! Where a loop's connections come from.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use blocking::accept_nonblocking;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Result, ResultExt};

/// Here the accept queue of a listener, in step 07 something that several loops
/// share. Its descriptor is readable when there is a connection.
pub trait Incoming: AsFd + Send {
    /// Takes the next connection. `WouldBlock`: there is none now.
    /// `UnexpectedEof`: none will come any more, and the loop shuts down.
    /// Otherwise it fails as [`blocking::accept`] does.
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)>;

    /// A connection that came from here was closed.
    fn on_close(&self) {}
}

impl Incoming for OwnedFd {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        accept_nonblocking(self)
    }
}

/// From here on no call on `socket` waits: it says `WouldBlock`. `man 2 fcntl`.
pub fn set_nonblocking(socket: impl AsFd) -> Result<()> {
    let flags = FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
    fcntl(socket, flags).map(drop).context(Call::SetSockOpt)
}
