//! `recv` and `send` that never wait.
//!
//! On a non-blocking socket both fail with EAGAIN (Rust: `WouldBlock`) where
//! they would have to wait. In an event loop that is no failure, it is the most
//! ordinary answer: "not now". So it is a value here and not an error.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use protocol::{Doing, Failure};

/// What came of trying to receive.
// ANCHOR: receive
pub(crate) enum Received {
    /// So many bytes, at least 1.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The peer's FIN: nothing more, ever.
    End,
}

/// Takes what has arrived, up to the size of `buffer`. `man 2 recv`.
pub(crate) fn try_receive(
    socket: &OwnedFd,
    buffer: &mut [u8],
) -> Result<Received, Failure> {
    loop {
        return match recv(socket.as_raw_fd(), buffer, MsgFlags::empty()) {
            Ok(0) => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(Errno::EAGAIN) => Ok(Received::Nothing),
            Err(Errno::EINTR) => continue,
            Err(errno) => Err(Doing::Receive.failed(errno)),
        };
    }
}
// ANCHOR_END: receive

/// Gives the kernel as much of `bytes` as it takes, perhaps none, and says how
/// many that were. `man 2 send`.
// ANCHOR: send
pub(crate) fn try_send(
    socket: &OwnedFd,
    bytes: &[u8],
) -> Result<usize, Failure> {
    loop {
        return match send(socket.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN) => Ok(0),
            Err(Errno::EINTR) => continue,
            Err(errno) => Err(Doing::Send.failed(errno)),
        };
    }
}
// ANCHOR_END: send
