//! Sent is not delivered: how to close without losing replies.
//!
//! `send` returns when the kernel has taken the bytes; they may wait in the
//! send buffer for a peer that reads slowly. That is no trouble as long as the
//! peer has ended too. But a server that stops closes connections on which
//! bytes still arrive, and then the kernel sends a reset and throws the send
//! buffer away: the peer finds half a reply. So we wait until the buffer is
//! empty, which it is when the peer's kernel has acknowledged all of it.

use std::io;
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libc::c_int;

use crate::socket::check;
use crate::{number, recv};

/// How long a peer may take to receive its last replies.
const PATIENCE: Duration = Duration::from_millis(500);
/// No call waits for this: we look again and again.
const INTERVAL: Duration = Duration::from_millis(1);

/// Waits until the peer has received all that was sent, but not for long. To be
/// called after the read side of `socket` was shut down: what still arrives is
/// dropped, and `recv` does not wait for it.
// ANCHOR: await_delivery
pub(crate) fn await_delivery(socket: impl AsFd) {
    let deadline = Instant::now() + PATIENCE;
    let mut dropped = [0; 4_096];
    while unacknowledged(&socket).is_ok_and(|bytes| bytes > 0)
        && Instant::now() < deadline
    {
        // A peer may have to get rid of its bytes before it reads ours.
        if !recv(&socket, &mut dropped).is_ok_and(|count| count > 0) {
            sleep(INTERVAL);
        }
    }
}
// ANCHOR_END: await_delivery

/// The number of bytes that were sent and not acknowledged yet. `man 7 tcp`,
/// `SIOCOUTQ`, which Linux also calls `TIOCOUTQ`.
#[cfg(target_os = "linux")]
fn unacknowledged(socket: impl AsFd) -> io::Result<c_int> {
    let mut bytes: c_int = 0;
    let fd = number(&socket);
    // SAFETY: this request writes one int, and `bytes` is one.
    check(unsafe { libc::ioctl(fd, libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(bytes)
}

/// The number of bytes in the send buffer. `man 2 getsockopt`, `SO_NWRITE`.
#[cfg(target_vendor = "apple")]
fn unacknowledged(socket: impl AsFd) -> io::Result<c_int> {
    let mut bytes: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `bytes` has room for `size` bytes, and both outlive the call.
    check(unsafe {
        libc::getsockopt(
            number(&socket),
            libc::SOL_SOCKET,
            libc::SO_NWRITE,
            (&raw mut bytes).cast(),
            &raw mut size,
        )
    })?;
    Ok(bytes)
}
