//! Sent is not delivered: how to close without losing replies.
//!
//! A server that shuts down closes connections on which bytes still arrive, and
//! then the kernel sends a reset and throws the send buffer away: the peer finds
//! half a reply. So we wait until its kernel has acknowledged all of the buffer.

use std::io;
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libc::c_int;

use crate::recv;
use crate::socket::{check, raw_fd};

/// How long a peer may take to receive its last replies.
const LINGER_TIMEOUT: Duration = Duration::from_millis(500);
/// No call waits for this: it is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Waits until the peer has received all that was sent, but not for long. To be
/// called after the read side of `socket` was shut down: what still arrives is
/// dropped, and `recv` does not wait for it.
pub(crate) fn linger(socket: impl AsFd) {
    let deadline = Instant::now() + LINGER_TIMEOUT;
    let mut dropped = [0; 4_096];
    while Instant::now() < deadline
        && unacknowledged(&socket).is_ok_and(|bytes| bytes > 0)
    {
        // A peer may have to get rid of its bytes before it reads ours.
        let _ = recv(&socket, &mut dropped);
        sleep(POLL_INTERVAL);
    }
}

/// The number of bytes that were sent and not acknowledged yet. `man 7 tcp`,
/// `SIOCOUTQ`, which is also called `TIOCOUTQ`. macOS knows it of terminals
/// alone: there the call fails, and nothing waits.
fn unacknowledged(socket: impl AsFd) -> io::Result<c_int> {
    let mut bytes: c_int = 0;
    let fd = raw_fd(&socket);
    // SAFETY: this request writes one int, and `bytes` is one.
    check(unsafe { libc::ioctl(fd, libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(bytes)
}
