//! Whether a client is still there: what the kernel counts.
//!
//! A server knows when it last called `recv` or `send`, but not whether bytes
//! wait unread in the receive buffer, nor whether the peer takes what lies in
//! the send buffer. The kernel counts both. `man 7 tcp`, `TCP_INFO`.

use std::io;
use std::os::fd::AsFd;

use crate::socket::{check, raw_fd};

/// The start of the kernel's `struct tcp_info`, up to what is asked for: libc's
/// struct ends before it.
// ANCHOR: transferred
#[cfg(target_os = "linux")]
#[repr(C)]
struct TcpInfo {
    _earlier_fields: [u64; 15],
    bytes_acked: u64,
    bytes_received: u64,
}

/// The number of bytes that have arrived on `socket`, plus the number that its
/// peer has acknowledged. As long as it grows, the client is not idle.
///
/// # Errors
/// None for a TCP socket.
#[cfg(target_os = "linux")]
pub fn bytes_transferred(socket: impl AsFd) -> io::Result<u64> {
    // SAFETY: plain integers; zero is valid in each.
    let mut info: TcpInfo = unsafe { std::mem::zeroed() };
    let mut len = size_of::<TcpInfo>() as libc::socklen_t;
    let (fd, value) = (raw_fd(&socket), (&raw mut info).cast());
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
    // SAFETY: `info` has `len` bytes, and both outlive the call.
    check(unsafe { libc::getsockopt(fd, level, name, value, &raw mut len) })?;
    Ok(info.bytes_received.wrapping_add(info.bytes_acked))
}
// ANCHOR_END: transferred

/// The same from macOS's `TCP_CONNECTION_INFO`.
///
/// # Errors
/// None for a TCP socket.
#[cfg(target_vendor = "apple")]
pub fn bytes_transferred(socket: impl AsFd) -> io::Result<u64> {
    // SAFETY: plain integers; zero is valid in each.
    let mut info: libc::tcp_connection_info = unsafe { std::mem::zeroed() };
    let mut len = size_of_val(&info) as libc::socklen_t;
    let (fd, value) = (raw_fd(&socket), (&raw mut info).cast());
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_CONNECTION_INFO);
    // SAFETY: `info` has `len` bytes, and both outlive the call.
    check(unsafe { libc::getsockopt(fd, level, name, value, &raw mut len) })?;
    Ok(info.tcpi_rxbytes.wrapping_add(info.tcpi_txbytes))
}
