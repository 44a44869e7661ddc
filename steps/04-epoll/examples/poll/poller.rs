//! `poll` in the place of `epoll`: the list lives here, and not in the kernel.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

pub(crate) use epoll::{Event, Interest};
use nix::errno::Errno;
use nix::libc::{
    POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDHUP, nfds_t, pollfd,
};
use protocol::{Doing, Failure};

// ANCHOR: poller
/// The token of one descriptor. What the kernel was told last does not matter:
/// it forgets everything between two calls.
pub(crate) struct Told(u64);

impl Told {
    pub(crate) fn nothing(token: u64) -> Self {
        Self(token)
    }

    /// `poll` reports what is ready at every call: there is nothing to do.
    pub(crate) fn ask_again(&mut self) {}
}

/// Each descriptor with its token and what to wait for.
#[derive(Default)]
pub(crate) struct Poller {
    watched: RefCell<BTreeMap<RawFd, (u64, i16)>>,
    ready: Vec<Event>,
}

impl Poller {
    pub(crate) fn tell(
        &self,
        fd: impl AsFd,
        told: &mut Told,
        wanted: Interest,
    ) -> Result<(), Failure> {
        let read = if wanted.read { POLLIN | POLLRDHUP } else { 0 };
        let write = if wanted.write { POLLOUT } else { 0 };
        let entry = (told.0, read | write);
        self.watched.borrow_mut().insert(fd.as_fd().as_raw_fd(), entry);
        Ok(())
    }

    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<usize, Failure> {
        let watched = self.watched.get_mut();
        let mut list: Vec<_> = watched
            .iter()
            .map(|(&fd, &(_, events))| pollfd { fd, events, revents: 0 })
            .collect();
        poll(&mut list, timeout)?;
        self.ready.clear();
        for pollfd { fd, revents, .. } in list {
            if revents & POLLNVAL != 0 {
                // It has been closed, and nobody told us.
                watched.remove(&fd);
            } else if let Some(&(token, _)) = watched.get(&fd)
                && revents != 0
            {
                let hang_up = revents & (POLLRDHUP | POLLHUP | POLLERR) != 0;
                self.ready.push(Event { token, hang_up });
            }
        }
        Ok(self.ready.len())
    }

    pub(crate) fn event(&self, index: usize) -> Event {
        self.ready[index]
    }
}
// ANCHOR_END: poller

/// `man 2 poll`. `nix`'s takes borrowed descriptors, and this list may hold
/// one that its owner has closed: that is what POLLNVAL is for.
fn poll(list: &mut [pollfd], timeout: Option<Duration>) -> Result<(), Failure> {
    let timeout = timeout.map_or(-1, |left| {
        i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX)
    });
    let (first, count) = (list.as_mut_ptr(), list.len() as nfds_t);
    // SAFETY: `first` points to `count` entries that we alone have.
    #[expect(unsafe_code, reason = "nix's poll takes no closed descriptor")]
    let result =
        Errno::result(unsafe { nix::libc::poll(first, count, timeout) });
    match result {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(Doing::Epoll.failed(errno)),
    }
}
