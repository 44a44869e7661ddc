//! One request over one connection: `connect`, `send`, `recv`.
//!
//! A client needs no `bind`, `listen` or `accept`: `connect` gives its socket a
//! port of its own (an ephemeral port), sends a SYN to the server, and returns
//! when the server's kernel has answered. The server's program need not have
//! called `accept` by then.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use blocking::{recv, send_all};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, socket,
};
use protocol::PONG;

use crate::Problem;

const PING: &[u8] = b"ping\n";

/// A server's address, in the form that the calls take: worked out once, and
/// not for every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    family: AddressFamily,
    address: SockaddrStorage,
}

impl Server {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let family = if address.is_ipv4() {
            AddressFamily::Inet
        } else {
            AddressFamily::Inet6
        };
        Self { family, address: address.into() }
    }

    /// A TCP socket that is not connected yet. `man 2 socket`.
    ///
    /// # Errors
    /// EMFILE without a free descriptor.
    // ANCHOR: connect
    pub(crate) fn socket(&self) -> Result<OwnedFd, Problem> {
        socket(self.family, SockType::Stream, SockFlag::empty(), None)
            .map_err(Problem::from)
    }

    /// Connects `socket` to the server, and waits until its kernel has agreed.
    /// `man 2 connect`.
    ///
    /// # Errors
    /// ECONNREFUSED where nobody listens, EADDRNOTAVAIL without a free local
    /// port, ETIMEDOUT where no answer comes, and more.
    pub(crate) fn connect(&self, socket: impl AsFd) -> Result<(), Problem> {
        let fd = socket.as_fd().as_raw_fd();
        loop {
            match nix::sys::socket::connect(fd, &self.address) {
                // Interrupted, the kernel goes on connecting: ask again, and
                // it may say that it has done so.
                Err(Errno::EINTR) => {}
                Ok(()) | Err(Errno::EISCONN) => return Ok(()),
                Err(Errno::ETIMEDOUT) => return Err(Problem::ConnectTimedOut),
                Err(error) => return Err(error.into()),
            }
        }
    }
    // ANCHOR_END: connect
}

/// Sends `ping` and reads the reply, which has to be `pong` to the byte.
///
/// The article calls `recv` once and takes whatever came for the reply. But a
/// reply may arrive in pieces, 0 is no reply at all, and a wrong one is worse
/// than none.
///
/// # Errors
/// What became of the connection, or of the reply.
// ANCHOR: ask
pub(crate) fn ask(socket: impl AsFd) -> Result<(), Problem> {
    send_all(&socket, PING)?;
    let mut buffer = [0; 64];
    let mut filled = 0;
    while filled < PONG.len() {
        let count = recv(&socket, &mut buffer[filled..])?;
        filled += count;
        if count == 0 {
            return Err(Problem::Closed);
        }
        if !PONG.starts_with(&buffer[..filled]) {
            return Err(Problem::WrongReply);
        }
    }
    Ok(())
}
// ANCHOR_END: ask
