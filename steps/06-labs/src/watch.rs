//! An event loop's set in which the number of a descriptor is its token.

use std::os::fd::{AsRawFd, OwnedFd};

use epoll::{Interest, Poller};
use protocol::Error;

/// Has `poller` wait for `interest` on `fd` from now on; says which token its
/// events will have.
// ANCHOR: watch
pub(crate) fn watch(
    poller: &Poller,
    fd: &OwnedFd,
    interest: Interest,
) -> Result<u64, Error> {
    let token = fd.as_raw_fd() as u64;
    poller.register(fd, token, interest)?;
    Ok(token)
}
// ANCHOR_END: watch
