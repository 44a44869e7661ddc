//! One thread's share of the requests, one after the other.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Problem;
use crate::crew::TICK;
use crate::in_flight::Slot;
use crate::request::{Server, ask};
use crate::schedule::Schedule;
use crate::stop::Stop;
use crate::tally::Tally;

/// What all threads of a run have in common.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) server: Server,
    pub(crate) schedule: Schedule,
    pub(crate) keep_alive: bool,
    pub(crate) timeout: Duration,
    pub(crate) stop: &'a Stop,
}

/// One thread of a run.
pub(crate) struct Worker<'a> {
    job: &'a Job<'a>,
    slot: &'a Slot,
    /// The connection of the last request, where it is kept.
    kept: Option<Arc<OwnedFd>>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(job: &'a Job<'a>, slot: &'a Slot) -> Self {
        Self { job, slot, kept: None }
    }

    /// Makes every request of worker `number`, and says how they went.
    // ANCHOR: run
    pub(crate) fn run(mut self, number: usize) -> Tally {
        let mut tally = Tally::default();
        for request in self.job.schedule.share(number) {
            let due = self.job.schedule.due(request);
            due.inspect(|&due| self.wait_until(due));
            if self.job.stop.asked() {
                break;
            }
            let sent = Instant::now();
            match self.request(sent + self.job.timeout) {
                Ok(replied) => tally.succeeded(replied - due.unwrap_or(sent)),
                // The main thread has ended our wait: not the server's doing.
                Err(_) if self.job.stop.asked() => break,
                Err(problem) => tally.failed(problem),
            }
            self.slot.count();
        }
        tally
    }

    fn wait_until(&self, due: Instant) {
        while !self.job.stop.asked() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(TICK)); // a stop may come first
        }
    }
    // ANCHOR_END: run

    /// One request: over the connection that was kept, or over a new one. Says
    /// when the reply was there, which is before the connection is closed.
    // ANCHOR: request
    fn request(&mut self, deadline: Instant) -> Result<Instant, Problem> {
        let (socket, kept) = match self.kept.take() {
            Some(socket) => (socket, true),
            None => (Arc::new(self.job.server.socket()?), false),
        };
        self.slot.begin(&socket, deadline);
        let connected =
            if kept { Ok(()) } else { self.job.server.connect(&socket) };
        let late = match connected {
            Ok(()) => Problem::ReplyTimedOut,
            Err(_) => Problem::ConnectTimedOut,
        };
        let asked = connected.and_then(|()| ask(&socket));
        let outcome = asked.map(|()| Instant::now());
        let expired = self.slot.end();
        // Only a connection that is in order is kept; any other is closed.
        if outcome.is_ok() && self.job.keep_alive && !expired {
            self.kept = Some(socket);
        }
        outcome.map_err(|problem| if expired { late } else { problem })
    }
    // ANCHOR_END: request
}
