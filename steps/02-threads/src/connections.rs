//! The open connections, and how to reach them all.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};

use crate::idle::IdleTimer;

/// A client's socket, shared by its thread, which reads and writes, and by
/// [`Connections`], through which other threads may shut it down.
// ANCHOR: connection
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    idle_timer: Mutex<IdleTimer>,
    timed_out: AtomicBool,
}

impl Connection {
    fn new(socket: OwnedFd) -> Self {
        let idle_timer = Mutex::new(IdleTimer::new(Instant::now()));
        Self { socket, idle_timer, timed_out: AtomicBool::new(false) }
    }

    /// Ends the connection if it has been idle for `timeout`.
    pub(crate) fn check_idle(&self, timeout: Duration) {
        if lock(&self.idle_timer).is_expired(self, Instant::now(), timeout) {
            self.timed_out.store(true, Ordering::SeqCst);
            self.shut_down(Shutdown::Both);
        }
    }

    pub(crate) fn is_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::SeqCst)
    }

    /// Shuts down one side or both; a `recv` or `send` that waits returns.
    /// `man 2 shutdown`.
    fn shut_down(&self, how: Shutdown) {
        // ENOTCONN: the peer has reset the connection. Its thread will see.
        let _ = shutdown(self.socket.as_raw_fd(), how);
    }
}
// ANCHOR_END: connection

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// All open connections, and whether the server is shutting down.
// ANCHOR: connections
#[derive(Debug, Default)]
pub(crate) struct Connections {
    state: Mutex<State>,
    /// Notified when a connection was closed, and when a signal came.
    changed: Condvar,
}

/// What the lock protects.
#[derive(Debug, Default)]
struct State {
    open: HashMap<RawFd, Arc<Connection>>,
    signal: Option<i32>,
}

impl Connections {
    pub(crate) fn insert(&self, socket: OwnedFd) -> Arc<Connection> {
        let fd = socket.as_raw_fd();
        let connection = Arc::new(Connection::new(socket));
        lock(&self.state).open.insert(fd, Arc::clone(&connection));
        connection
    }

    /// Closes `connection`, whose thread is at its end or never began.
    pub(crate) fn remove(&self, connection: Arc<Connection>) {
        let fd = connection.socket.as_raw_fd();
        let shared = lock(&self.state).open.remove(&fd);
        // close(2) before the wake-up: the acceptor then finds the descriptor
        // free.
        drop((connection, shared));
        self.changed.notify_all();
    }

    /// Waits while `max` connections are open. Returns the signal, if one came.
    pub(crate) fn wait_for_room(&self, max: usize) -> Option<i32> {
        let full = |state: &mut State| {
            state.open.len() >= max && state.signal.is_none()
        };
        let state = self.changed.wait_while(lock(&self.state), full);
        state.unwrap_or_else(PoisonError::into_inner).signal
    }

    /// Waits until a connection is closed or a signal comes, for `timeout` at
    /// the most.
    pub(crate) fn wait_for_change(&self, timeout: Duration) {
        let state = lock(&self.state);
        let unchanged = (state.open.len(), state.signal);
        let _ = self.changed.wait_timeout_while(state, timeout, |state| {
            (state.open.len(), state.signal) == unchanged
        });
    }
    // ANCHOR_END: connections

    /// Waits for `timeout`, or less if a signal comes. Returns whether it came.
    pub(crate) fn wait_for_signal(&self, timeout: Duration) -> bool {
        let waiting = |state: &mut State| state.signal.is_none();
        let state = lock(&self.state);
        let _ = self.changed.wait_timeout_while(state, timeout, waiting);
        self.is_shutting_down()
    }

    /// From here on the server is shutting down, because of `signal`.
    pub(crate) fn shut_down(&self, signal: i32) {
        lock(&self.state).signal = Some(signal);
        self.changed.notify_all();
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        lock(&self.state).signal.is_some()
    }

    /// Answers what the clients have sent, for `timeout`, then closes.
    // ANCHOR: drain
    pub(crate) fn drain(&self, timeout: Duration) {
        let mut how = Shutdown::Read; // their `recv` returns 0
        // Again and again, since a `shutdown` may fail.
        while !self.is_empty_after(how, timeout) {
            how = Shutdown::Both; // their `send` fails
        }
    }

    fn is_empty_after(&self, how: Shutdown, timeout: Duration) -> bool {
        for connection in self.all() {
            connection.shut_down(how);
        }
        let open = |state: &mut State| !state.open.is_empty();
        let state = lock(&self.state);
        let waited = self.changed.wait_timeout_while(state, timeout, open);
        waited.unwrap_or_else(PoisonError::into_inner).0.open.is_empty()
    }
    // ANCHOR_END: drain

    /// The connections that are open now.
    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        lock(&self.state).open.values().cloned().collect()
    }
}

/// No thread of ours panics while it holds a lock, so none is poisoned.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
