//! The open connections, and how to reach them all.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};

use crate::idle::IdleTimer;

/// All open connections, and whether the server is shutting down.
#[derive(Default)]
pub(crate) struct Connections {
    state: Mutex<State>,
    /// Notified when a connection was closed, and when a signal came.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: HashMap<RawFd, Connection>,
    signal: Option<i32>,
}

/// One of them. Its thread, which reads and writes, has the socket too.
struct Connection {
    socket: Arc<OwnedFd>,
    idle_timer: IdleTimer,
    timed_out: bool,
}

impl Connections {
    pub(crate) fn insert(&self, socket: &Arc<OwnedFd>) {
        let connection = Connection {
            socket: Arc::clone(socket),
            idle_timer: IdleTimer::new(Instant::now()),
            timed_out: false,
        };
        self.lock().open.insert(socket.as_raw_fd(), connection);
    }

    /// Closes the connection of `socket`, whose thread is at its end or never
    /// began. Returns whether it was idle for too long.
    pub(crate) fn remove(&self, socket: Arc<OwnedFd>) -> bool {
        let connection = self.lock().open.remove(&socket.as_raw_fd());
        let timed_out = connection.is_some_and(|c| c.timed_out);
        drop(socket); // close(2), first: a woken acceptor finds the number free
        self.changed.notify_all();
        timed_out
    }

    /// Waits while `max` connections are open. Returns the signal, if one came.
    pub(crate) fn wait_for_room(&self, max: usize) -> Option<i32> {
        let full = |s: &mut State| s.open.len() >= max && s.signal.is_none();
        self.wait_while(Duration::MAX, full).signal
    }

    /// Waits until a connection is closed or a signal comes, or for `timeout`.
    pub(crate) fn wait_for_change(&self, timeout: Duration) {
        let open = self.lock().open.len();
        let same = |s: &mut State| s.open.len() == open && s.signal.is_none();
        drop(self.wait_while(timeout, same));
    }

    fn wait_while(
        &self,
        timeout: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'_, State> {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, timeout, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the connections that are idle, until the server shuts down.
    pub(crate) fn close_idle(&self, timeout: Duration) {
        let interval = IdleTimer::interval(timeout);
        let running = |state: &mut State| state.signal.is_none();
        while self.wait_while(interval, running).signal.is_none() {
            let now = Instant::now();
            for c in self.lock().open.values_mut() {
                if c.idle_timer.is_expired(&c.socket, now, timeout) {
                    c.timed_out = true;
                    let _ = shutdown(c.socket.as_raw_fd(), Shutdown::Both);
                }
            }
        }
    }

    pub(crate) fn shut_down(&self, signal: i32) {
        self.lock().signal = Some(signal);
        self.changed.notify_all();
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.lock().signal.is_some()
    }

    /// Answers what the clients have sent, for `timeout`, then closes.
    pub(crate) fn drain(&self, timeout: Duration) {
        let some_open = |state: &mut State| !state.open.is_empty();
        let mut how = Shutdown::Read; // their `recv` returns 0
        // Again and again, since a `shutdown` may fail.
        while some_open(&mut self.lock()) {
            for connection in self.lock().open.values() {
                // ENOTCONN: it was reset by its peer. Its thread will see.
                let _ = shutdown(connection.socket.as_raw_fd(), how);
            }
            drop(self.wait_while(timeout, some_open));
            how = Shutdown::Both; // their `send` fails
        }
    }

    /// No thread of ours panics while it holds the lock: it is not poisoned.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
