//! Whether a client is still there: what the kernel counts.
//!
//! A server knows when it last called `recv` or `send`, but not whether bytes
//! wait unread in the receive buffer, nor whether the peer takes what lies in
//! the send buffer. The kernel counts both. `man 7 tcp`, `TCP_INFO`.

use std::io;
use std::os::fd::AsFd;

#[cfg(target_vendor = "apple")]
use libc::{TCP_CONNECTION_INFO as TCP_INFO, tcp_connection_info as tcp_info};
#[cfg(target_os = "linux")]
use libc::{TCP_INFO, tcp_info};

use crate::socket::{check, raw_fd};

/// The number of bytes that have arrived on `socket`, plus the number that its
/// peer has acknowledged. As long as it grows, the client is not idle.
///
/// # Errors
/// None for a TCP socket.
pub fn bytes_transferred(socket: impl AsFd) -> io::Result<u64> {
    // SAFETY: plain integers; zero is valid in each.
    let mut info: tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of::<tcp_info>() as libc::socklen_t;
    let (fd, value) = (raw_fd(&socket), (&raw mut info).cast());
    let (level, name) = (libc::IPPROTO_TCP, TCP_INFO);
    // SAFETY: `info` has `len` bytes, and both outlive the call.
    check(unsafe { libc::getsockopt(fd, level, name, value, &raw mut len) })?;
    #[cfg(target_os = "linux")]
    let bytes = [info.tcpi_bytes_received, info.tcpi_bytes_acked];
    #[cfg(target_vendor = "apple")]
    let bytes = [info.tcpi_rxbytes, info.tcpi_txbytes];
    Ok(bytes.iter().sum())
}
