//! What the driver does when something is due, answered, or has failed.

use std::time::{Duration, Instant};

use load_client::ErrorKind;

use super::Driver;
use super::recorder::SAMPLE_PERIOD;
use super::timers::Timer;
use super::user::Request;
use crate::error::Error;
use crate::load::pacing::Pacing;

/// A client that was stopped for so long (SIGSTOP, a paused virtual machine) says
/// nothing about the server. One that has to wait for a core says so elsewhere.
const STOOD_STILL: Duration = Duration::from_secs(1);
/// The pause after a failed request: to send again at once would only fail
/// again, a million times a second.
const BACKOFF: Duration = Duration::from_millis(100);

impl Driver<'_> {
    /// Does all that is due by now. An error is the server's end.
    pub(super) fn run_timers(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        while let Some((time, timer)) = self.timers.pop_due(now) {
            match timer {
                Timer::Begin => self.begin(),
                Timer::Look => self.look(now, now - time)?,
                Timer::End => self.end(now),
                Timer::GiveUp => self.give_up(now),
                Timer::Request(index, due) => {
                    if self.users[index].pacing != Pacing::ClosedLoop {
                        self.recorder.late(time, Instant::now());
                    }
                    self.send_requests(index, vec![due]);
                }
            }
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) {
        if self.recorder.begin.is_some() {
            return;
        }
        self.recorder.look();
        let now = Instant::now();
        self.recorder.begin = Some(now);
        if !self.scenario.is_one_shot() {
            self.start_pacing(now); // even if not all users are ready
            self.timers.add(now + self.scenario.duration, Timer::End);
        }
    }

    /// From here on no request is due; the others are waited for.
    pub(super) fn end(&mut self, now: Instant) {
        if self.recorder.end.is_none() {
            self.recorder.end(now);
            self.timers.add(now + self.timeout + BACKOFF, Timer::GiveUp);
        }
    }

    /// Looks at the server, and at requests that have had their time; it comes
    /// so `late` itself.
    fn look(&mut self, now: Instant, late: Duration) -> Result<(), Error> {
        let stopped = late.saturating_sub(self.recorder.waited_for_core());
        if stopped > STOOD_STILL {
            let stopped = stopped.as_secs_f64();
            return Err(Error::ours(format!("stood still for {stopped:.1} s")));
        }
        self.check()?;
        self.recorder.sample(now);
        let timeout = self.timeout;
        let period = (timeout / 4).min(SAMPLE_PERIOD);
        self.timers.add(now + period, Timer::Look);
        for index in 0..self.users.len() {
            let oldest = self.users[index].in_flight.front();
            if oldest.is_some_and(|oldest| now - oldest.sent > timeout) {
                self.fail(index, ErrorKind::ReplyTimedOut, now);
            }
        }
        Ok(())
    }

    pub(super) fn send_requests(
        &mut self,
        index: usize,
        mut due: Vec<Instant>,
    ) {
        due.retain(|&due| !self.recorder.is_past(due));
        if due.is_empty() {
            return;
        }
        let (user, address) = (&mut self.users[index], self.server.address);
        if let Err(error) = user.send_requests(&due, address, &self.poller) {
            use ErrorKind::{PortsExhausted, TooManyOpenFiles};
            if matches!(error, PortsExhausted | TooManyOpenFiles) {
                self.client_error = Some(error);
            }
            self.fail(index, error, Instant::now());
        }
    }

    /// An event for a user: replies, room to send, or the connection's end.
    pub(super) fn on_event(&mut self, index: usize, hang_up: bool) {
        let (user, buffer) = (&mut self.users[index], &mut self.buffer);
        if self.is_draining {
            let surplus = user.on_drain(hang_up, buffer);
            return self.recorder.unrequested(surplus);
        }
        let (answered, result) =
            user.on_readable(hang_up, buffer, &self.poller);
        let now = Instant::now();
        let due = self.record_replies(index, &answered, now);
        match result {
            Ok(()) => self.send_requests(index, due),
            Err(error) => {
                for due in due {
                    self.schedule(index, due, now + BACKOFF);
                }
                self.fail(index, error, now);
            }
        }
    }

    /// Counts what was answered. Adds timers for what comes next, but returns
    /// what is due already.
    fn record_replies(
        &mut self,
        index: usize,
        answered: &[Request],
        now: Instant,
    ) -> Vec<Instant> {
        let mut due_now = Vec::new();
        let joins = !answered.is_empty() && self.join(index, now);
        for request in answered {
            if now - request.sent > self.timeout {
                self.recorder.error(request.due, now, ErrorKind::ReplyTimedOut);
            } else {
                self.recorder.reply(request.due, now);
            }
            match self.users[index].next(request.due, now) {
                Some(next) if !joins && next <= now => due_now.push(next),
                Some(next) if !joins => {
                    self.timers.add(next, Timer::Request(index, next));
                }
                _ => {}
            }
        }
        due_now
    }

    /// All requests that a user has in flight have failed. Their successors are
    /// due when they were going to be: a schedule stands whatever fails.
    fn fail(&mut self, index: usize, error: ErrorKind, now: Instant) {
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
    fn schedule(&mut self, index: usize, due: Instant, earliest: Instant) {
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
