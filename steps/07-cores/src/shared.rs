//! What all loops share: a count, a flag, and wake-ups.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use epoll::Stop;
use nix::sys::eventfd::{EfdFlags, EventFd};
use protocol::{Call, Log, Result, ResultExt};

/// Wakes a poller from any thread: `man 2 eventfd`. It is registered
/// edge-triggered, and each `write` is an edge; so it is never read.
#[derive(Debug)]
pub(crate) struct WakeUp(EventFd);

impl WakeUp {
    pub(crate) fn new() -> Result<Self> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        EventFd::from_flags(flags).map(Self).context(Call::Epoll)
    }

    pub(crate) fn wake(&self) {
        // EINTR. The counter has 64 bits and never overflows.
        while self.0.write(1).is_err() {}
    }
}

impl AsFd for WakeUp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A connection and its peer.
type Client = (OwnedFd, SocketAddr);

/// What the other threads know of a loop.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Something that all loops share has changed.
    pub(crate) changed: WakeUp,
    /// A client was put into `clients`: under `handover` alone.
    pub(crate) arrived: WakeUp,
    pub(crate) clients: Mutex<VecDeque<Client>>,
    /// Clients that the loop has, or will find in its mailbox.
    pub(crate) open: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) loops: Vec<Mailbox>,
    /// Wakes the thread that accepts, under `handover`.
    pub(crate) acceptor: WakeUp,
    /// Clients may still come from that thread.
    pub(crate) accepting: AtomicBool,
    stopping: AtomicBool,
    /// Clients of the whole process.
    open: AtomicUsize,
    max_connections: usize,
}

impl Mailbox {
    fn new() -> Result<Self> {
        Ok(Self {
            changed: WakeUp::new()?,
            arrived: WakeUp::new()?,
            clients: Mutex::default(),
            open: AtomicUsize::new(0),
        })
    }

    pub(crate) fn clients(&self) -> MutexGuard<'_, VecDeque<Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new(loops: usize, max_connections: usize) -> Result<Self> {
        let loops = (0..loops).map(|_| Mailbox::new());
        Ok(Self {
            loops: loops.collect::<Result<_>>()?,
            acceptor: WakeUp::new()?,
            accepting: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            max_connections,
        })
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
            // The others have stopped to accept.
            self.wake_all();
        }
    }
    // ANCHOR_END: limit

    pub(crate) fn shut_down(&self) {
        self.stopping.store(true, SeqCst);
        self.wake_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    pub(crate) fn wake_all(&self) {
        self.acceptor.wake();
        self.loops.iter().for_each(|mailbox| mailbox.changed.wake());
    }
}

/// What tells a loop to shut down.
pub(crate) struct Loop {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
}

impl Loop {
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.shared.loops[self.number]
    }
}

impl Stop for Loop {
    fn is_requested(&self, _: &mut Log) -> bool {
        let shared = &self.shared;
        if !shared.is_stopping() || shared.accepting.load(SeqCst) {
            return false;
        }
        if self.mailbox().clients().is_empty() {
            return true;
        }
        // First it takes those. Then it asks again.
        self.mailbox().changed.wake();
        false
    }
}

impl AsFd for Loop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.mailbox().changed.as_fd()
    }
}
