//! One safe function for each system call on a connection. Where the call
//! returned -1, `errno` says why, until the thread's next call overwrites it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::c_int;
#[cfg(target_vendor = "apple")]
use libc::{TCP_CONNECTION_INFO as TCP_INFO, tcp_connection_info as tcp_info};
#[cfg(target_os = "linux")]
use libc::{TCP_INFO, tcp_info};

use crate::address::read_address;

/// Without this flag `send` to a peer that is gone raises SIGPIPE, which ends
/// a C program. macOS has no such flag.
#[cfg(target_os = "linux")]
const SEND_FLAGS: c_int = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const SEND_FLAGS: c_int = 0;

/// What a C function returned: -1 means that `errno` says why it failed.
pub(crate) fn check<T: PartialEq + From<i8>>(returned: T) -> io::Result<T> {
    if returned == T::from(-1) {
        Err(io::Error::last_os_error())
    } else {
        Ok(returned)
    }
}

/// Owns the descriptor that a call has made: it is closed when it is dropped.
pub(crate) fn owned(returned: RawFd) -> io::Result<OwnedFd> {
    let fd = check(returned)?;
    // SAFETY: the kernel has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The number of a descriptor, for a system call that takes one. Borrows it: a
/// descriptor that was moved into here would be closed before the call.
pub(crate) fn raw_fd(fd: &impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}

/// Takes the next connection from the accept queue and says who the peer is.
/// Waits while the queue is empty. `man 2 accept`.
///
/// # Errors
/// EINTR after a signal, ECONNABORTED where the peer left the queue first,
/// EMFILE without a free descriptor, and more: see
/// [`is_connection_error`](crate::is_connection_error).
pub fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, SocketAddr)> {
    read_address(|addr, len| {
        // SAFETY: `addr` points to `len` bytes, and both outlive the call.
        owned(unsafe { libc::accept(raw_fd(&listener), addr, len) })
    })
}

/// [`accept`] for an event loop (step 04): the new connection is non-blocking
/// from the start, which saves the article's two calls of `fcntl`. Fails as that
/// does, and with `WouldBlock` where the queue is empty. Linux only.
#[cfg(target_os = "linux")]
pub fn accept_nonblocking(
    listener: impl AsFd,
) -> io::Result<(OwnedFd, SocketAddr)> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    read_address(|addr, len| {
        // SAFETY: `addr` points to `len` bytes, and both outlive the call.
        owned(unsafe { libc::accept4(raw_fd(&listener), addr, len, flags) })
    })
}

/// Reads what has arrived, up to the size of `buffer`, and waits while nothing
/// has. Returns the number of bytes read: 0 is the peer's FIN. `man 2 recv`.
///
/// # Errors
/// ECONNRESET after the peer's reset, ETIMEDOUT where the peer is out of reach,
/// `WouldBlock` on a non-blocking socket.
pub fn recv(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (fd, len) = (raw_fd(&socket), buffer.len());
    retry_on_eintr(|| {
        // SAFETY: `buffer` is ours and has space for `len` bytes.
        unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), len, 0) }
    })
}

/// Hands the kernel as much of `bytes` as it takes, and waits while it takes
/// none. Returns the number of bytes sent, which may be less than all: a
/// partial write. `man 2 send`.
///
/// # Errors
/// EPIPE or ECONNRESET where the peer is gone, `WouldBlock` on a non-blocking
/// socket.
pub fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let (fd, len) = (raw_fd(&socket), bytes.len());
    retry_on_eintr(|| {
        // SAFETY: `bytes` holds `len` bytes, which the kernel only reads.
        unsafe { libc::send(fd, bytes.as_ptr().cast(), len, SEND_FLAGS) }
    })
}

/// Hands the kernel all of `bytes`, in as many calls as it takes. Fails as
/// [`send`] does.
pub fn send_all(socket: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = send(&socket, bytes)?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// Makes a call again as long as a signal interrupts it (EINTR): that says
/// nothing about the connection. `man 7 signal`.
fn retry_on_eintr(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        match check(call()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result.map(isize::cast_unsigned),
        }
    }
}

/// The number of bytes that have arrived on a TCP socket, read or not, plus the
/// number that its peer has acknowledged, which no `recv` and no `send` tells.
/// As long as it grows, the client is not idle.
pub fn bytes_transferred(socket: impl AsFd) -> io::Result<u64> {
    let info = tcp_information(socket)?;
    #[cfg(target_os = "linux")]
    let bytes = [info.tcpi_bytes_received, info.tcpi_bytes_acked];
    #[cfg(target_vendor = "apple")]
    let bytes = [info.tcpi_rxbytes, info.tcpi_txbytes];
    Ok(bytes.iter().sum())
}

/// What the kernel knows of a connection. `man 7 tcp`, `TCP_INFO`.
fn tcp_information(socket: impl AsFd) -> io::Result<tcp_info> {
    // SAFETY: plain integers; zero is valid in each.
    let mut info: tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of::<tcp_info>() as libc::socklen_t;
    let (fd, value) = (raw_fd(&socket), (&raw mut info).cast());
    let (level, name) = (libc::IPPROTO_TCP, TCP_INFO);
    // SAFETY: `info` has `len` bytes, and both outlive the call.
    check(unsafe { libc::getsockopt(fd, level, name, value, &raw mut len) })?;
    Ok(info)
}

/// Whether the peer's FIN has come. Once the read side is shut down from here,
/// a `recv` of 0 bytes does not say so.
pub(crate) fn has_peer_closed(socket: impl AsFd) -> bool {
    const CLOSE_WAIT: u8 = if cfg!(target_os = "linux") { 8 } else { 5 };
    tcp_information(socket).is_ok_and(|info| info.tcpi_state == CLOSE_WAIT)
}
