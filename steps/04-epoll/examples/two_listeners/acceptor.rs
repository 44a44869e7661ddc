//! Two listeners that look like one: a set of their own, inside the set.

#[path = "../../src/acceptor.rs"]
mod single;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use protocol::{Doing, Failure, LimitOptions, Log};

use crate::Interest;
pub(crate) use single::Accepted;

// ANCHOR: acceptor
/// The doors, and a descriptor that is readable when one of them is.
pub(crate) struct Acceptor {
    doors: Vec<single::Acceptor>,
    set: Epoll,
}

impl Acceptor {
    pub(crate) fn new(
        listeners: impl IntoIterator<Item = OwnedFd>,
        limits: &LimitOptions,
    ) -> Result<Self, Failure> {
        let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)
            .map_err(|e| Doing::Epoll.failed(e))?;
        let mut doors = Vec::new();
        for listener in listeners {
            set.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, 0))
                .map_err(|e| Doing::Epoll.failed(e))?;
            doors.push(single::Acceptor::new(listener, limits)?);
        }
        Ok(Self { doors, set })
    }

    /// The next client, at whichever door.
    pub(crate) fn accept(&mut self, now: Instant, log: &mut Log) -> Accepted {
        // Another one first each time: a crowd at one must not close the other.
        self.doors.rotate_left(1);
        for door in &mut self.doors {
            match door.accept(now, log) {
                Accepted::Nobody => {}
                found => return found,
            }
        }
        Accepted::Nobody
    }
}

impl AsFd for Acceptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.set.0.as_fd()
    }
}
// ANCHOR_END: acceptor

/// The rest is asked of both.
impl Acceptor {
    pub(crate) fn wants(&self, open: usize) -> Interest {
        let all_read = self.doors.iter().all(|door| door.wants(open).read);
        Interest { read: all_read, write: false }
    }

    pub(crate) fn rest(&mut self, why: &Failure, now: Instant, log: &mut Log) {
        // The one that rests keeps the other from being asked: see `wants`.
        if let Some(door) = self.doors.first_mut() {
            door.rest(why, now, log);
        }
    }

    pub(crate) fn look_up(&mut self, now: Instant, somebody_left: bool) {
        for door in &mut self.doors {
            door.look_up(now, somebody_left);
        }
    }

    pub(crate) fn rest_until(&self) -> Option<Instant> {
        self.doors.iter().filter_map(single::Acceptor::rest_until).min()
    }
}
