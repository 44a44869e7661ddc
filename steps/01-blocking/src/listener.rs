//! From nothing to a listener: `socket`, `setsockopt`, `bind`, `listen`.

use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use libc::{c_int, socklen_t};
use protocol::{Doing, Failure};

use crate::address::{RawAddress, family};
use crate::number;
use crate::socket::check;

/// Makes a socket that listens on `address`, with room for `backlog`
/// connections that are established and not yet accepted.
///
/// Clients can connect from here on, before anybody calls `accept`: the kernel
/// completes the handshake by itself and puts the connection into the accept
/// queue. The kernel cuts `backlog` to `net.core.somaxconn`.
///
/// # Errors
/// EADDRINUSE where another socket listens there, EADDRNOTAVAIL where the
/// address is not this machine's, EACCES for a port below 1024 without the
/// right to it. `man 2 socket`, `man 2 bind`, `man 2 listen`.
// ANCHOR: listen
pub fn listen(address: SocketAddr, backlog: i32) -> Result<OwnedFd, Failure> {
    let listener = stream_socket(address)?;
    reuse_address(&listener)?;
    bind(&listener, address)?;
    // SAFETY: takes two numbers and no pointer.
    check(unsafe { libc::listen(number(&listener), backlog) })
        .map_err(|e| Doing::Listen.failed(e))?;
    Ok(listener)
}
// ANCHOR_END: listen

/// Asks the kernel for a TCP socket of the family of `address`.
// ANCHOR: socket
fn stream_socket(address: SocketAddr) -> Result<OwnedFd, Failure> {
    // SAFETY: takes three numbers and no pointer.
    let fd =
        check(unsafe { libc::socket(family(address), libc::SOCK_STREAM, 0) })
            .map_err(|e| Doing::Socket.failed(e))?;
    // SAFETY: the kernel has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
// ANCHOR_END: socket

/// A server that closes a connection first leaves it in TIME_WAIT for a minute,
/// and `bind` to that port would fail with EADDRINUSE until then: a server
/// could not be restarted. `man 7 socket`, `SO_REUSEADDR`.
// ANCHOR: reuse
fn reuse_address(listener: &OwnedFd) -> Result<(), Failure> {
    let on: c_int = 1;
    // SAFETY: the option's value is the int `on`, and its size is given.
    check(unsafe {
        libc::setsockopt(
            number(listener),
            libc::SOL_SOCKET,
            libc::SO_REUSEADDR,
            (&raw const on).cast(),
            mem::size_of::<c_int>() as socklen_t,
        )
    })
    .map_err(|e| Doing::Option.failed(e))?;
    Ok(())
}
// ANCHOR_END: reuse

/// Gives the socket its own address and port.
// ANCHOR: bind
fn bind(listener: &OwnedFd, address: SocketAddr) -> Result<(), Failure> {
    let (mut raw, length) = RawAddress::encode(address);
    // SAFETY: `raw` holds an address of `length` bytes.
    check(unsafe { libc::bind(number(listener), raw.as_mut_ptr(), length) })
        .map_err(|e| Doing::Bind.failed(e))?;
    Ok(())
}
// ANCHOR_END: bind

/// The address that a socket is bound to: with port 0 asked for, only the
/// kernel knows which one it chose. `man 2 getsockname`.
///
/// # Errors
/// ENOBUFS where the kernel has no memory for the answer.
// ANCHOR: local_address
pub fn local_address(socket: impl AsFd) -> Result<SocketAddr, Failure> {
    let mut raw = RawAddress::empty();
    let mut length = RawAddress::CAPACITY;
    let (fd, room) = (number(&socket), raw.as_mut_ptr());
    // SAFETY: `raw` has room for `length` bytes, and both outlive the call.
    check(unsafe { libc::getsockname(fd, room, &raw mut length) })
        .and_then(|_| raw.decode())
        .map_err(|e| Doing::Bind.failed(e))
}
// ANCHOR_END: local_address
