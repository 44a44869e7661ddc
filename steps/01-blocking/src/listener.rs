//! From nothing to a listener: `socket`, `setsockopt`, `bind`, `listen`.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use libc::{AF_INET, AF_INET6, c_int, socklen_t};
use nix::sys::socket::{SockaddrLike, SockaddrStorage};
use protocol::{Call, Result, ResultExt};

use crate::address::read_address;
use crate::socket::{check, owned, raw_fd};

/// Replies that were sent by us and not yet by the kernel, in bytes, before
/// `send` makes us wait. By default the send buffer grows to megabytes for a
/// client that never reads. `man 7 tcp`.
const UNSENT_LIMIT: c_int = 131_072;

/// Makes a socket that listens on `address`, with room for `backlog`
/// connections that are established and not yet accepted.
///
/// Clients can connect from here on, before any call of `accept`. The kernel
/// cuts `backlog` to `net.core.somaxconn`.
///
/// # Errors
/// EADDRINUSE where another socket listens there, EADDRNOTAVAIL where the
/// address is not this machine's, EACCES for a port below 1024 without the
/// right to it. `man 2 socket`, `man 2 bind`, `man 2 listen`.
pub fn listen(address: SocketAddr, backlog: i32) -> Result<OwnedFd> {
    let listener = stream_socket(address)?;
    listen_on(&listener, address, backlog)?;
    Ok(listener)
}

/// The same with a socket that is there already. Fails as [`listen`] does.
pub fn listen_on(
    listener: &OwnedFd,
    address: SocketAddr,
    backlog: i32,
) -> Result<()> {
    use libc::{IPPROTO_TCP, SO_REUSEADDR, SOL_SOCKET, TCP_NOTSENT_LOWAT};
    // Without it `bind` would fail with EADDRINUSE for a minute after a server
    // that closed connections first: they are in TIME_WAIT. `man 7 socket`.
    set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    // The connections inherit it.
    set_option(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_LIMIT)?;
    bind(listener, address)?;
    // SAFETY: takes two numbers and no pointer.
    check(unsafe { libc::listen(raw_fd(listener), backlog) })
        .context(Call::Listen)?;
    Ok(())
}

/// Asks the kernel for a TCP socket of the family of `address`. Fails without a
/// free descriptor: EMFILE.
pub fn stream_socket(address: SocketAddr) -> Result<OwnedFd> {
    let family = if address.is_ipv4() { AF_INET } else { AF_INET6 };
    // SAFETY: takes three numbers and no pointer.
    owned(unsafe { libc::socket(family, libc::SOCK_STREAM, 0) })
        .context(Call::Socket)
}

fn set_option(
    socket: &OwnedFd,
    level: c_int,
    name: c_int,
    value: c_int,
) -> Result<()> {
    let len = size_of::<c_int>() as socklen_t;
    let value = (&raw const value).cast();
    // SAFETY: `value` points to an int, and its size is given.
    check(unsafe { libc::setsockopt(raw_fd(socket), level, name, value, len) })
        .context(Call::SetSockOpt)?;
    Ok(())
}

/// Gives the socket its own address and port.
fn bind(listener: &OwnedFd, address: SocketAddr) -> Result<()> {
    let raw = SockaddrStorage::from(address);
    let (addr, len) = (raw.as_ptr(), raw.len());
    // SAFETY: `addr` points to an address of `len` bytes.
    check(unsafe { libc::bind(raw_fd(listener), addr, len) })
        .context(Call::Bind)?;
    Ok(())
}

/// The address that a socket is bound to: with port 0 asked for, only the
/// kernel knows which one it chose. Fails where the kernel has no memory for the
/// answer: ENOBUFS. `man 2 getsockname`.
pub fn local_address(socket: impl AsFd) -> Result<SocketAddr> {
    read_address(|addr, len| {
        // SAFETY: `addr` points to `len` bytes, and both outlive the call.
        check(unsafe { libc::getsockname(raw_fd(&socket), addr, len) })
    })
    .map(|(_, address)| address)
    .context(Call::Bind)
}
