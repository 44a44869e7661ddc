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
use protocol::{Call, Result, ResultExt};

/// Each descriptor with its token and what to wait for.
#[derive(Default)]
pub(crate) struct Poller {
    registered: RefCell<BTreeMap<RawFd, (u64, i16)>>,
}

impl Poller {
    pub(crate) fn register(
        &self,
        fd: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        let readable = if interest.readable { POLLIN | POLLRDHUP } else { 0 };
        let writable = if interest.writable { POLLOUT } else { 0 };
        let entry = (token, readable | writable);
        self.registered.borrow_mut().insert(fd.as_fd().as_raw_fd(), entry);
        Ok(())
    }

    pub(crate) fn reregister(
        &self,
        fd: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        self.register(fd, token, interest)
    }

    pub(crate) fn wait(
        &mut self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let registered = self.registered.get_mut();
        let mut list: Vec<_> = registered
            .iter()
            .map(|(&fd, &(_, events))| pollfd { fd, events, revents: 0 })
            .collect();
        poll(&mut list, timeout)?;
        events.clear();
        for pollfd { fd, revents, .. } in list {
            if revents & POLLNVAL != 0 {
                // It was closed, which `poll` does not notice by itself.
                registered.remove(&fd);
            } else if let Some(&(token, _)) = registered.get(&fd)
                && revents != 0
            {
                let hang_up = revents & (POLLRDHUP | POLLHUP | POLLERR) != 0;
                events.push(Event { token, hang_up });
            }
        }
        Ok(())
    }
}

/// `man 2 poll`. `nix`'s takes borrowed descriptors, and this list may hold
/// one that its owner has closed: that is what POLLNVAL is for.
fn poll(list: &mut [pollfd], timeout: Option<Duration>) -> Result<()> {
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
        result => result.map(drop).context(Call::Epoll),
    }
}
