//! What becomes of requests that fail, and of those that wait for them.

use std::time::Instant;

use load_client::ErrorKind;

use super::Driver;
use super::requests::BACKOFF;
use super::timers::Timer;
use crate::load::pacing::Pacing;

impl Driver<'_> {
    /// All requests that a user has in flight have failed. Their successors are
    /// due when they were going to be: a schedule stands whatever fails.
    pub(super) fn fail(
        &mut self,
        index: usize,
        error: ErrorKind,
        now: Instant,
    ) {
        let requests = self.users[index].close();
        if error == ErrorKind::UnrequestedReply {
            self.recorder.unrequested(1);
        } else if requests.is_empty() {
            // It was idle. That counts, but its next request is due already.
            self.recorder.error(now, now, error);
        }
        let joins = self.join(index, now);
        for request in requests {
            self.recorder.error(request.due, now, error);
            let next = self.users[index].next(request.due, now);
            if let Some(next) = next.filter(|_| !joins) {
                self.schedule(index, next, now + BACKOFF);
            }
        }
    }

    /// What is due at `due` is sent no sooner than `earliest`.
    pub(super) fn schedule(
        &mut self,
        index: usize,
        due: Instant,
        earliest: Instant,
    ) {
        let due = match self.users[index].pacing {
            Pacing::ConstantRate(_) => due,
            _ => due.max(earliest), // there was no schedule for it
        };
        self.timers.add(due.max(earliest), Timer::Request(index, due));
    }

    /// What is still missing has failed: what is in flight, and what was due
    /// and could not be sent, since all before it was in flight.
    pub(super) fn give_up(&mut self, now: Instant) {
        let Some(end) = self.recorder.end else { return };
        for index in 0..self.users.len() {
            if self.is_draining {
                self.users[index].close();
            }
            if !self.users[index].in_flight.is_empty() {
                self.fail(index, ErrorKind::ReplyTimedOut, now);
            }
        }
        for (index, mut due) in self.timers.take_requests(end) {
            while due < end {
                self.recorder.error(due, now, ErrorKind::ReplyTimedOut);
                let next = self.users[index].next(due, now);
                due = next.unwrap_or(end);
            }
        }
    }
}
