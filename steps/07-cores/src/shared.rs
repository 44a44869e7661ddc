//! What all loops share: a limit, and how they are woken.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use epoll::Stop;
use nix::sys::eventfd::{EfdFlags, EventFd};
use protocol::{Call, Log, Result, ResultExt};

/// Wakes a loop from any thread: `man 2 eventfd`, a sum of what was written.
#[derive(Clone, Debug)]
pub(crate) struct WakeUp(Arc<EventFd>);

impl WakeUp {
    /// To look at what has changed.
    pub(crate) const LOOK: u64 = 1;
    /// To stop: more than any sum of the other.
    pub(crate) const STOP: u64 = 1 << 62;

    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new() -> Result<Self> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let fd = EventFd::from_flags(flags).context(Call::Epoll)?;
        Ok(Self(Arc::new(fd)))
    }

    pub(crate) fn wake(&self, why: u64) {
        while self.0.write(why).is_err() {} // EINTR
    }
}

impl AsFd for WakeUp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Stop for WakeUp {
    fn is_requested(&self, _: &mut Log) -> bool {
        self.0.read().is_ok_and(|sum| sum >= Self::STOP)
    }
}

/// How many clients the process has and may have.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Those of the loops that accept.
    pub(crate) wake_ups: Vec<WakeUp>,
    max_connections: usize,
    open: AtomicUsize,
    /// Clients that were not accepted any more.
    pub(crate) left: AtomicUsize,
}

impl Shared {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new(
        acceptors: usize,
        max_connections: usize,
    ) -> Result<Self> {
        let wake_ups = (0..acceptors).map(|_| WakeUp::new());
        let wake_ups = wake_ups.collect::<Result<_>>()?;
        let (open, left) = Default::default();
        Ok(Self { wake_ups, max_connections, open, left })
    }

    // ANCHOR: limit
    /// Whether the process may have another client.
    pub(crate) fn has_room(&self) -> bool {
        self.open.load(SeqCst) < self.max_connections
    }

    /// Counts another client, where there is room. To ask first and to count
    /// later would let two loops in at once.
    pub(crate) fn try_open(&self) -> bool {
        let more = |open| (open < self.max_connections).then_some(open + 1);
        self.open.fetch_update(SeqCst, SeqCst, more).is_ok()
    }

    pub(crate) fn on_close(&self) {
        if self.open.fetch_sub(1, SeqCst) == self.max_connections {
            self.wake_all(WakeUp::LOOK); // they had stopped to accept
        }
    }

    pub(crate) fn wake_all(&self, why: u64) {
        self.wake_ups.iter().for_each(|wake_up| wake_up.wake(why));
    }
    // ANCHOR_END: limit
}
