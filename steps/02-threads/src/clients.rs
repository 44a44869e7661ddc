//! Who is being served, and how to reach them all.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};

use crate::doorbell::Doorbell;

/// How long clients may take to read their last replies when the server stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// The clients of the moment.
pub(crate) struct Clients<'a> {
    doorbell: &'a Doorbell,
    stopping: AtomicBool,
    open: Mutex<Open>,
}

/// What the lock protects.
#[derive(Default)]
struct Open {
    /// A socket is shared by its thread, which reads and writes, and by this
    /// map, through which the main thread may shut it down. It is closed when
    /// both have let go.
    sockets: HashMap<RawFd, Arc<OwnedFd>>,
    /// The main thread waits for somebody to leave.
    awaited: bool,
}

impl<'a> Clients<'a> {
    pub(crate) fn new(doorbell: &'a Doorbell) -> Self {
        let stopping = AtomicBool::new(false);
        Self { doorbell, stopping, open: Mutex::default() }
    }

    pub(crate) fn doorbell(&self) -> &Doorbell {
        self.doorbell
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a client in. It leaves when the [`Guest`] is dropped.
    pub(crate) fn enter(&self, socket: OwnedFd) -> Guest<'_> {
        let socket = Arc::new(socket);
        let fd = socket.as_raw_fd();
        self.open().sockets.insert(fd, Arc::clone(&socket));
        Guest { socket, place: Place { fd, clients: self } }
    }

    /// Whether there are `limit` clients. If so, the next that leaves rings
    /// the doorbell.
    // ANCHOR: full
    pub(crate) fn full(&self, limit: usize) -> bool {
        let mut open = self.open();
        open.awaited = open.sockets.len() >= limit;
        open.awaited
    }
    // ANCHOR_END: full

    /// Shuts down one side or both of every connection; whoever waits in
    /// `recv` or `send` on it wakes. `man 2 shutdown`.
    pub(crate) fn shut_down(&self, how: Shutdown) {
        self.stopping.store(true, Ordering::SeqCst);
        for socket in self.open().sockets.values() {
            // ENOTCONN: the peer has reset the connection. Its thread will see.
            let _ = shutdown(socket.as_raw_fd(), how);
        }
    }

    /// Waits until all clients have left, and says whether they did in time.
    pub(crate) fn wait_until_gone(&self) -> bool {
        let deadline = Instant::now() + FAREWELL;
        while self.full(1) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.doorbell.wait(None, Some(left));
        }
        true
    }
}

/// A client that is being served.
// ANCHOR: guest
pub(crate) struct Guest<'a> {
    // Rust drops the fields in this order.
    socket: Arc<OwnedFd>,
    place: Place<'a>,
}

/// A client's place among the [`Clients`].
struct Place<'a> {
    fd: RawFd,
    clients: &'a Clients<'a>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let socket = self.clients.open().sockets.remove(&self.fd);
        // close(2), and only then the bell: whoever waits for a descriptor
        // finds one.
        drop(socket);
        if std::mem::take(&mut self.clients.open().awaited) {
            self.clients.doorbell.ring();
        }
    }
}
// ANCHOR_END: guest

impl Guest<'_> {
    /// Whether the server is stopping.
    pub(crate) fn asked_to_leave(&self) -> bool {
        self.place.clients.stopping.load(Ordering::SeqCst)
    }
}

impl AsFd for Guest<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
