//! How a connection ends from our side.

use std::time::{Duration, Instant};

use protocol::{Log, Message};
use threads::IdleTimer;

use super::{Connection, State};
use crate::ring::Ring;

/// Bytes that are still answered at shutdown: enough for what had arrived by
/// then, and a bound for a client that never ends.
const DRAIN_BYTES: usize = 64 * 1_024;

impl Connection {
    /// Begins to end the connection from our side.
    pub(crate) fn drain(&mut self) {
        if self.state == State::Open {
            self.state = State::Draining { bytes_left: DRAIN_BYTES };
        }
    }

    /// Ends the connection if it has been idle for `timeout`: first with our
    /// FIN, and another timeout later without the peer's. Says whether it is
    /// to be closed.
    pub(crate) fn check_idle(
        &mut self,
        timeout: Duration,
        now: Instant,
        log: &mut Log,
    ) -> bool {
        if !self.idle_timer.is_expired(&*self.socket, now, timeout) {
            return false;
        }
        if self.state != State::Open {
            return true;
        }
        log.info(Message::IdleTimeout);
        self.idle_timer = IdleTimer::new(now);
        self.drain();
        false
    }

    /// Cancels what is in flight. Its operations keep the descriptor open, and
    /// the replies where they are, until they have ended.
    pub(crate) fn close(self, ring: &mut Ring) {
        let receive = self.receive.map(|receive| receive.key);
        let send = self.send.map(|(key, _)| key);
        for key in receive.into_iter().chain(send) {
            ring.cancel(key);
        }
    }
}
