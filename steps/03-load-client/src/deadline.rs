//! A deadline for a blocked thread, without a system call per request.
//!
//! A blocked `recv` waits as long as the server pleases. `SO_RCVTIMEO` would
//! bound each wait, at the price of two more calls for each connection, and a
//! server that sends a byte now and then would still be waited for. So each
//! thread publishes its socket and its deadline, and the main thread, which has
//! nothing else to do, checks them every 20 ms: past the deadline it shuts the
//! socket down, and the blocked call returns. `man 2 shutdown`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::sys::socket::{Shutdown, shutdown};

use crate::stats::Batch;

/// Where one thread publishes what it waits for, and what it has counted.
// Threads that write to one cache line slow each other: a line each.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    request: Option<Request>,
    batch: Batch,
}

/// A request under way.
#[derive(Debug)]
struct Request {
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
        let request = Request { socket, deadline, expired: false };
        self.lock().request = Some(request);
    }

    /// The request is over. Returns whether its deadline had passed.
    pub(crate) fn end(&self) -> bool {
        self.lock().request.take().is_some_and(|request| request.expired)
    }

    /// Counts what this thread has done.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Batch)) {
        add(&mut self.lock().batch);
    }

    /// Ends the wait of a request whose deadline has passed, and of any where
    /// the run is over. Takes out what was counted.
    pub(crate) fn check(&self, now: Instant, is_cancelled: bool) -> Batch {
        let mut state = self.lock();
        if let Some(request) = &mut state.request {
            request.expired = now >= request.deadline;
            if request.expired || is_cancelled {
                // ENOTCONN: not connecting yet. The next check is in 20 ms.
                let _ = shutdown(request.socket.as_raw_fd(), Shutdown::Both);
            }
        }
        std::mem::take(&mut state.batch)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
