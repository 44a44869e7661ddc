//! An event loop's set in which the number of a descriptor is its token.

use std::os::fd::{AsRawFd, OwnedFd};

use epoll::{Interest, Poller, Told};
use protocol::Failure;

/// Has `poller` wait for `interest` on `fd` from now on; says which token its
/// events will have.
///
/// # Errors
/// As [`Poller::tell`].
// ANCHOR: watch
pub(crate) fn watch(
    poller: &Poller,
    fd: &OwnedFd,
    interest: Interest,
) -> Result<u64, Failure> {
    let token = fd.as_raw_fd() as u64;
    poller.tell(fd, &mut Told::nothing(token), interest)?;
    Ok(token)
}
// ANCHOR_END: watch
