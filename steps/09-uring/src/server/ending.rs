//! How the server ends, and how it ends idle connections.

use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::Message;

use super::{SIGNALS, Server};
use crate::operation::Operation;

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

impl Server {
    pub(super) fn wait_for_signal(&mut self) {
        let signals = Rc::clone(&self.signals);
        self.ring.start(Operation::Poll { signals }, SIGNALS);
    }

    /// The first signal: no new clients, and the open connections are drained.
    pub(super) fn shut_down(&mut self) {
        let Some(signal) = self.signals.read() else {
            return self.wait_for_signal();
        };
        self.log.notice(Message::ShuttingDown(signal));
        self.listener = None;
        self.drain_deadline = Some(self.now + DRAIN_TIMEOUT);
        for fd in self.connections.descriptors() {
            if let Some(connection) = self.connections.touch(fd) {
                connection.drain();
            }
        }
    }

    pub(super) fn close_idle(&mut self) {
        let Some(timeout) = self.idle_check.take(self.now) else { return };
        for fd in self.connections.descriptors() {
            let is_over =
                self.connections.touch(fd).is_some_and(|connection| {
                    connection.check_idle(timeout, self.now, &mut self.log)
                });
            if is_over {
                self.close(fd);
            }
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.listener.is_none() && self.connections.open() == 0
            || self.is_past_drain_deadline()
    }

    /// Looked at after every completion: a turn may take long.
    pub(super) fn is_past_drain_deadline(&self) -> bool {
        self.drain_deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}
