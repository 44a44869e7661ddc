//! `epoll`: register interest, and wait until something is ready.
//!
//! `epoll_ctl` says once which descriptors matter and what for; the kernel
//! keeps that set. `epoll_wait` then costs as much as there are descriptors
//! that are ready, however many are not. `man 7 epoll`.

use std::os::fd::AsFd;
use std::time::Duration;

use clap::ValueEnum;
use nix::errno::Errno;
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use protocol::{Call, Result, ResultExt};

/// Events taken from the kernel at once.
const MAX_EVENTS: usize = 1_024;

/// When the kernel reports a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trigger {
    /// Once, when it becomes ready: what is left unread then is not reported
    /// until more arrives.
    Edge,
    /// At every wait, as long as it is ready.
    Level,
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Bytes to read, or a client to accept.
    pub readable: bool,
    /// Room to write.
    pub writable: bool,
}

impl Interest {
    /// Something to read.
    pub const READABLE: Self = Self { readable: true, writable: false };

    fn flags(self, trigger: Trigger) -> EpollFlags {
        let mut flags = EpollFlags::empty();
        flags.set(EpollFlags::EPOLLIN, self.readable);
        // The peer's FIN, which is reported only on request.
        flags.set(EpollFlags::EPOLLRDHUP, self.readable);
        flags.set(EpollFlags::EPOLLOUT, self.writable);
        flags.set(EpollFlags::EPOLLET, trigger == Trigger::Edge);
        // Urgent data, at which a read stops short. Reported until it is read.
        let urgent = self.readable && trigger == Trigger::Edge;
        flags.set(EpollFlags::EPOLLPRI, urgent);
        flags
    }
}

/// A descriptor has become ready.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What the descriptor was registered with.
    pub token: u64,
    /// Something follows the bytes of a short read: the peer's FIN, a reset, or
    /// an error; or more bytes, behind urgent data.
    pub hang_up: bool,
}

/// The kernel's set of descriptors, and space for what it reports.
#[derive(Debug)]
pub struct Poller {
    /// For what step 07 asks of it beyond this file.
    pub epoll: Epoll,
    trigger: Trigger,
    buffer: Vec<EpollEvent>,
}

impl Poller {
    /// Asks the kernel for an empty set. `man 2 epoll_create1`.
    pub fn new(trigger: Trigger) -> Result<Self> {
        let epoll =
            Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context(Call::Epoll)?;
        let buffer = vec![EpollEvent::empty(); MAX_EVENTS];
        Ok(Self { epoll, trigger, buffer })
    }

    /// Adds `fd` to the set. Its events will carry `token`. `close` takes it
    /// out again. Fails past `/proc/sys/fs/epoll/max_user_watches` (ENOSPC) and
    /// without memory. `man 2 epoll_ctl`, `EPOLL_CTL_ADD`.
    pub fn register(
        &self,
        fd: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        let event = EpollEvent::new(interest.flags(self.trigger), token);
        self.epoll.add(fd, event).context(Call::Epoll)
    }

    /// Changes what `fd` is waited for. If it is ready for that already, an
    /// event comes at the next wait, under edge-triggered too: registering the
    /// same interest anew re-arms it. `EPOLL_CTL_MOD`.
    pub fn reregister(
        &self,
        fd: impl AsFd,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        let mut event = EpollEvent::new(interest.flags(self.trigger), token);
        self.epoll.modify(fd, &mut event).context(Call::Epoll)
    }

    /// Waits until something is ready or `timeout` is over (`None`: never), and
    /// puts what it was into `events`. EINTR (a signal; SIGSTOP and SIGCONT) is
    /// a wait without events; all other errors are a wrong program's.
    /// `man 2 epoll_wait`.
    pub fn wait(
        &mut self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        // Rounded up to milliseconds: 0 of them would not wait at all.
        let timeout = timeout.map_or(EpollTimeout::NONE, |duration| {
            EpollTimeout::try_from(duration + Duration::from_nanos(999_999))
                .unwrap_or(EpollTimeout::MAX)
        });
        let count = match self.epoll.wait(&mut self.buffer, timeout) {
            Err(Errno::EINTR) => 0,
            result => result.context(Call::Epoll)?,
        };
        // All else is about an end: RDHUP, and HUP and ERR unrequested; or PRI.
        let usual = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
        events.clear();
        events.extend(self.buffer[..count].iter().map(|event| Event {
            token: event.data(),
            hang_up: !usual.contains(event.events()),
        }));
        Ok(())
    }
}
