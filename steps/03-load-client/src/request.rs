//! One request over one connection: `connect`, `send`, `recv`.
//!
//! A client needs no `bind`, `listen` or `accept`: `connect` gives its socket a
//! port of its own (an ephemeral port), sends a SYN to the server, and returns
//! when the server's kernel has answered. The server's program need not have
//! called `accept` by then.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use blocking::{recv, send_all};
use nix::errno::Errno;
use nix::sys::socket::{self, Shutdown, SockaddrStorage, shutdown};
use protocol::PONG;

use crate::ErrorKind;

const PING: &[u8] = b"ping\n";

/// Connects `socket` to the server, and waits until its kernel has agreed.
/// `man 2 connect`.
pub(crate) fn connect(
    socket: impl AsFd,
    server: SocketAddr,
) -> Result<(), ErrorKind> {
    let address = SockaddrStorage::from(server);
    loop {
        match socket::connect(socket.as_fd().as_raw_fd(), &address) {
            // Interrupted, the kernel goes on connecting: ask again, and it
            // may say that it has done so.
            Err(Errno::EINTR) => {}
            Ok(()) | Err(Errno::EISCONN) => return Ok(()),
            Err(Errno::ETIMEDOUT) => return Err(ErrorKind::ConnectTimedOut),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends `ping` and reads the reply, which has to be `pong` to the byte.
///
/// The article calls `recv` once and takes whatever came for the reply. But a
/// reply may arrive in pieces, 0 is no reply at all, and a wrong one is worse
/// than none.
pub(crate) fn send_request(socket: impl AsFd) -> Result<(), ErrorKind> {
    send_all(&socket, PING)?;
    let (mut buffer, mut filled) = ([0; 64], 0);
    while filled < PONG.len() {
        let count = recv(&socket, &mut buffer[filled..])?;
        filled += count;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof);
        }
        if !PONG.starts_with(&buffer[..filled.min(PONG.len())]) {
            return Err(ErrorKind::WrongReply);
        }
    }
    // One request was sent: what came beyond its reply answers none.
    if filled > PONG.len() { Err(ErrorKind::UnrequestedReply) } else { Ok(()) }
}

/// Sends our FIN, waits for the server's, and returns how many replies came
/// before it: all requests had theirs, so each of these answers none. More
/// than `limit` are not waited for.
///
/// A server that sends each reply twice is found out by this alone: while the
/// connection lasts, the second copy passes for the reply to the next request.
pub(crate) fn drain(socket: impl AsFd, limit: u64) -> u64 {
    let _ = shutdown(socket.as_fd().as_raw_fd(), Shutdown::Write);
    let (mut buffer, mut bytes) = ([0; 4_096], 0);
    while bytes < limit * PONG.len() as u64 {
        // An error, such as a reset, ends it as well as a FIN.
        match recv(&socket, &mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes += count as u64,
        }
    }
    bytes.div_ceil(PONG.len() as u64).min(limit)
}
