//! One thread's share of the requests, one after the other.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use blocking::stream_socket;

use crate::cancellation::Cancellation;
use crate::deadline::Slot;
use crate::request::{connect, drain, send_request};
use crate::schedule::{POLL_INTERVAL, Schedule};
use crate::stats::{Outcome, waited_for_core};
use crate::{ErrorKind, Options};

/// What all threads of a run have in common.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    pub(crate) options: &'a Options,
    pub(crate) schedule: Schedule,
    pub(crate) cancellation: &'a Cancellation,
}

/// One thread of a run.
pub(crate) struct Worker<'a> {
    config: &'a Config<'a>,
    slot: &'a Slot,
    /// The connection of the last request, where it is kept, and how many
    /// requests it has served.
    connection: Option<(Arc<OwnedFd>, u64)>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(config: &'a Config<'a>, slot: &'a Slot) -> Self {
        Self { config, slot, connection: None }
    }

    /// Makes every request of worker `number`.
    pub(crate) fn run(mut self, number: usize) {
        let Config { options, schedule, cancellation } = self.config;
        let mut free = schedule.start;
        for request in schedule.share(number) {
            let due = schedule.due(request);
            due.inspect(|&due| self.wait_until(due));
            if cancellation.is_cancelled() {
                break;
            }
            let sent = Instant::now();
            let result = self.request(sent + options.timeout);
            if result.is_err() && cancellation.is_cancelled() {
                break; // the main thread has ended our wait, not the server
            }
            let over = result.unwrap_or_else(|_| Instant::now());
            let outcome = Outcome {
                sent,
                over,
                latency: over - due.unwrap_or(sent),
                // Neither due before nor free before: what is left is ours.
                late: due.map(|due| sent - due.max(free)),
                error: result.err(),
            };
            self.slot.count(|batch| batch.outcomes.push(outcome));
            free = over;
        }
        self.close();
        self.slot.count(|batch| batch.waited_for_core = waited_for_core());
    }

    fn wait_until(&self, due: Instant) {
        while !self.config.cancellation.is_cancelled() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(POLL_INTERVAL)); // a signal may come first
        }
    }

    /// One request: over the connection that was kept, or over a new one.
    /// Returns when the reply was there, which is before the connection is
    /// closed.
    fn request(&mut self, deadline: Instant) -> Result<Instant, ErrorKind> {
        let server = self.config.options.address();
        let (socket, served) = match self.connection.take() {
            Some(kept) => kept,
            None => (Arc::new(stream_socket(server)?), 0),
        };
        self.slot.begin(&socket, deadline);
        let connected = match served {
            0 => connect(&socket, server),
            _ => Ok(()),
        };
        let timeout_kind = match connected {
            Ok(()) => ErrorKind::ReplyTimedOut,
            Err(_) => ErrorKind::ConnectTimedOut,
        };
        let replied = connected.and_then(|()| send_request(&socket));
        let outcome = replied.map(|()| Instant::now());
        let expired = self.slot.end();
        // Only a connection that is in order is kept; any other is closed.
        if outcome.is_ok() && self.config.options.keep_alive && !expired {
            self.connection = Some((socket, served + 1));
        } else if outcome == Err(ErrorKind::UnrequestedReply) {
            self.connection = Some((socket, served));
            self.close(); // the requests before it may have had such a reply
        }
        outcome.map_err(|kind| if expired { timeout_kind } else { kind })
    }

    /// Closes the connection that was kept, once it has ended in order.
    fn close(&mut self) {
        let Some((socket, served)) = self.connection.take() else { return };
        if !self.config.cancellation.is_cancelled() {
            self.slot
                .begin(&socket, Instant::now() + self.config.options.timeout);
            let unrequested = drain(&socket, served);
            self.slot.end();
            self.slot.count(|batch| batch.unrequested += unrequested);
        }
    }
}
