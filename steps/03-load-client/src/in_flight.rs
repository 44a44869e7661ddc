//! A deadline for a blocked thread, without a system call per request.
//!
//! A blocked `recv` waits as long as the server pleases. `SO_RCVTIMEO` would
//! bound each wait, at the price of two more calls for each connection, and a
//! server that sends a byte now and then would still be waited for. So each
//! thread leaves word of the socket that it waits for and until when, and the
//! main thread, which has nothing else to do, looks around: past the deadline
//! it shuts the socket down, and the blocked call returns. `man 2 shutdown`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::sys::socket::{Shutdown, shutdown};

/// Where one thread leaves word of what it is doing.
// Threads that write to one cache line slow each other: a line each.
// ANCHOR: slot
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Slot {
    request: Mutex<Option<InFlight>>,
    answered: AtomicU64,
}

/// A request under way.
#[derive(Debug)]
struct InFlight {
    /// Shared with the thread that waits for it: while it stands here it stays
    /// open, and its number cannot become another socket's.
    socket: Arc<OwnedFd>,
    deadline: Instant,
    expired: bool,
}

impl Slot {
    /// From here on the main thread may shut `socket` down.
    pub(crate) fn begin(&self, socket: &Arc<OwnedFd>, deadline: Instant) {
        let socket = Arc::clone(socket);
        let request = InFlight { socket, deadline, expired: false };
        *self.lock() = Some(request);
    }

    /// The request is over. Says whether its time was, too.
    pub(crate) fn end(&self) -> bool {
        self.lock().take().is_some_and(|request| request.expired)
    }
    // ANCHOR_END: slot

    /// Ends the wait of a request whose deadline has passed.
    // ANCHOR: expire
    pub(crate) fn expire(&self, now: Instant) {
        if let Some(request) = &mut *self.lock()
            && now >= request.deadline
        {
            request.expired = true;
            request.interrupt();
        }
    }

    /// Ends the wait of any request: the run is over.
    pub(crate) fn interrupt(&self) {
        if let Some(request) = &*self.lock() {
            request.interrupt();
        }
    }
    // ANCHOR_END: expire

    /// Counts one more request as answered, for the progress bar.
    pub(crate) fn count(&self) {
        // This thread alone writes: no need for an atomic addition.
        self.answered.store(self.answered() + 1, Relaxed);
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<InFlight>> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    fn interrupt(&self) {
        // ENOTCONN: not connecting yet. The main thread will look again.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }
}
