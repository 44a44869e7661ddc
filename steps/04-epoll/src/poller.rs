//! `epoll`: ask for readiness, and wait for it.
//!
//! `epoll_ctl` tells the kernel once which descriptors matter and what for; the
//! kernel keeps that set. `epoll_wait` then costs as much as there are
//! descriptors that are ready, however many are not. `man 7 epoll`.

use std::os::fd::AsFd;
use std::time::Duration;

use clap::ValueEnum;
use nix::errno::Errno;
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use protocol::{Doing, Failure};

/// Events taken from the kernel at once.
const EVENTS: usize = 1_024;

/// When the kernel reports a descriptor.
// ANCHOR: interest
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trigger {
    /// Once, when it becomes ready: who does not read all of it now waits for
    /// the next bytes to arrive.
    Edge,
    /// At every wait, as long as it is ready.
    Level,
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Bytes to read, or a client to accept.
    pub read: bool,
    /// Room to write.
    pub write: bool,
}

impl Interest {
    /// Nothing, at present.
    pub const NONE: Self = Self { read: false, write: false };
    /// Something to read.
    pub const READ: Self = Self { read: true, write: false };
    /// Room to write.
    pub const WRITE: Self = Self { read: false, write: true };

    fn flags(self, trigger: Trigger) -> EpollFlags {
        let mut flags = EpollFlags::empty();
        if self.read {
            // Reported only to those who ask: the peer's FIN (RDHUP), and
            // urgent data (PRI), at which a read stops short of the rest.
            flags |= EpollFlags::EPOLLIN
                | EpollFlags::EPOLLPRI
                | EpollFlags::EPOLLRDHUP;
        }
        if self.write {
            flags |= EpollFlags::EPOLLOUT;
        }
        if trigger == Trigger::Edge {
            flags |= EpollFlags::EPOLLET;
        }
        flags
    }
}
// ANCHOR_END: interest

/// What the kernel was last told about one descriptor.
// ANCHOR: told
#[derive(Debug)]
pub struct Told {
    token: u64,
    /// It is in the kernel's set.
    added: bool,
    /// `None`: whatever comes next is news.
    interest: Option<Interest>,
}

impl Told {
    /// Nothing so far. The descriptor's events will carry `token`.
    #[must_use]
    pub fn nothing(token: u64) -> Self {
        Self { token, added: false, interest: None }
    }

    /// Makes the next [`Poller::tell`] ask anew, and so report the descriptor
    /// again if it is still ready. Edge-triggered needs that wherever bytes
    /// were left unread.
    pub fn ask_again(&mut self) {
        self.interest = None;
    }
}
// ANCHOR_END: told

// ANCHOR: poller
/// A descriptor has become ready.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What [`Told::nothing`] was given.
    pub token: u64,
    /// Something is to come behind the bytes of a short read: the peer's FIN,
    /// a reset, or an error; or more bytes, behind urgent data.
    pub hang_up: bool,
}

/// The kernel's set of descriptors, and room for what it reports.
#[derive(Debug)]
pub struct Poller {
    epoll: Epoll,
    trigger: Trigger,
    events: Vec<EpollEvent>,
}

impl Poller {
    /// Asks the kernel for an empty set. `man 2 epoll_create1`.
    ///
    /// # Errors
    /// EMFILE without a free descriptor.
    pub fn new(trigger: Trigger) -> Result<Self, Failure> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)
            .map_err(|e| Doing::Epoll.failed(e))?;
        let events = vec![EpollEvent::empty(); EVENTS];
        Ok(Self { epoll, trigger, events })
    }
    // ANCHOR_END: poller

    /// Makes the kernel wait for `wanted` on `fd`, unless that is what it was
    /// told last: a call of `epoll_ctl` is made only where something changes.
    /// There is no call that removes: `close` takes a descriptor out of the
    /// set. `man 2 epoll_ctl`.
    ///
    /// # Errors
    /// ENOSPC past `/proc/sys/fs/epoll/max_user_watches`, ENOMEM.
    // ANCHOR: tell
    pub fn tell(
        &self,
        fd: impl AsFd,
        told: &mut Told,
        wanted: Interest,
    ) -> Result<(), Failure> {
        if told.interest == Some(wanted) {
            return Ok(());
        }
        let mut event = EpollEvent::new(wanted.flags(self.trigger), told.token);
        let result = if told.added {
            // If `fd` is ready for it already, an event comes at the next
            // wait, under edge-triggered too.
            self.epoll.modify(fd, &mut event)
        } else {
            self.epoll.add(fd, event)
        };
        result.map_err(|e| Doing::Epoll.failed(e))?;
        told.added = true;
        told.interest = Some(wanted);
        Ok(())
    }
    // ANCHOR_END: tell

    /// Waits until something is ready or `timeout` is over (`None`: never), and
    /// returns how many events there are for [`event`](Self::event). `man 2
    /// epoll_wait`.
    ///
    /// # Errors
    /// None for a correct program. EINTR (a signal; SIGSTOP and SIGCONT) is a
    /// wait without events.
    // ANCHOR: wait
    pub fn wait(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<usize, Failure> {
        // Rounded up: a timeout of 0 ms would not wait at all.
        let timeout = timeout.map_or(EpollTimeout::NONE, |duration| {
            EpollTimeout::try_from(duration + Duration::from_millis(1))
                .unwrap_or(EpollTimeout::MAX)
        });
        match self.epoll.wait(&mut self.events, timeout) {
            Err(Errno::EINTR) => Ok(0),
            result => result.map_err(|e| Doing::Epoll.failed(e)),
        }
    }

    /// The event number `index` of the last wait.
    #[must_use]
    pub fn event(&self, index: usize) -> Event {
        let event = self.events[index];
        // HUP and ERR come unasked.
        let end = EpollFlags::EPOLLPRI
            | EpollFlags::EPOLLRDHUP
            | EpollFlags::EPOLLHUP
            | EpollFlags::EPOLLERR;
        Event { token: event.data(), hang_up: event.events().intersects(end) }
    }
    // ANCHOR_END: wait
}
