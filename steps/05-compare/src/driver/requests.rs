//! What the driver does when something is due, answered, or has failed.

use std::time::{Duration, Instant};

use load_client::ErrorKind;

use super::recorder::SAMPLE_PERIOD;
use super::timers::Timer;
use super::{Driver, WARM_UP};

/// The pause after a failed request: to send again at once would only fail
/// again, a million times a second.
pub(super) const BACKOFF: Duration = Duration::from_millis(100);

impl Driver<'_> {
    /// Does all that is due by now.
    // ANCHOR: timers
    pub(super) fn run_timers(&mut self) {
        let now = Instant::now();
        while let Some((time, timer)) = self.timers.pop_due(now) {
            match timer {
                Timer::Begin => self.begin(now),
                Timer::Sample => self.sample(now),
                Timer::CheckTimeouts => self.check_timeouts(now),
                Timer::End => self.end(now),
                Timer::GiveUp => self.give_up(now),
                Timer::Request(index, due) => {
                    self.recorder.late(time, Instant::now());
                    self.due_now.push(due);
                    self.send_requests(index);
                }
            }
        }
    }

    pub(super) fn begin(&mut self, now: Instant) {
        if self.recorder.begin.is_some() {
            return;
        }
        self.recorder.begin(now);
        if !self.scenario.is_one_shot() {
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

    fn sample(&mut self, now: Instant) {
        self.recorder.sample(now);
        self.timers.add(now + SAMPLE_PERIOD, Timer::Sample);
    }

    fn check_timeouts(&mut self, now: Instant) {
        let timeout = self.timeout;
        let interval = (timeout / 4).min(SAMPLE_PERIOD);
        self.timers.add(now + interval, Timer::CheckTimeouts);
        for index in 0..self.users.len() {
            let oldest = self.users[index].in_flight.front();
            if oldest.is_some_and(|oldest| now - oldest.sent > timeout) {
                self.fail(index, ErrorKind::ReplyTimedOut, now);
            }
        }
    }
    // ANCHOR_END: timers

    /// A user sends the requests that are due.
    // ANCHOR: send
    pub(super) fn send_requests(&mut self, index: usize) {
        self.due_now.retain(|&due| !self.recorder.is_past(due));
        if self.due_now.is_empty() {
            return;
        }
        self.in_flight += self.due_now.len();
        let user = &mut self.users[index];
        let sent = user.send_requests(
            &self.due_now,
            self.server.address,
            &self.poller,
        );
        self.due_now.clear();
        if let Err(error) = sent {
            self.fail(index, error, Instant::now());
        }
    }

    /// An event for a user: replies, room to send, or the connection's end.
    pub(super) fn on_event(&mut self, index: usize, hang_up: bool) {
        let (user, buffer) = (&mut self.users[index], &mut self.buffer);
        if self.is_draining {
            let surplus = user.on_drain(hang_up, buffer, &self.poller);
            return self.recorder.unrequested(surplus);
        }
        let answered = &mut self.answered;
        let result = user.on_readable(hang_up, buffer, &self.poller, answered);
        let now = Instant::now();
        if !self.answered.is_empty() {
            self.record_replies(index, now);
        }
        match result {
            Ok(()) => self.send_requests(index),
            Err(error) => {
                for due in std::mem::take(&mut self.due_now) {
                    self.schedule(index, due, now + BACKOFF);
                }
                self.fail(index, error, now);
            }
        }
    }

    /// Counts what was answered, and leaves in `due_now` what that makes due
    /// already; for the rest there are timers.
    fn record_replies(&mut self, index: usize, now: Instant) {
        self.in_flight -= self.answered.len();
        let was_ready = self.first_reply(index, now);
        // On a connection that is kept, the first reply only says that it is
        // there: the pace begins when all are.
        let paced = self.scenario.is_paced();
        let joins = paced && self.scenario.kept && !was_ready;
        let user = &mut self.users[index];
        for request in self.answered.drain(..) {
            if now - request.sent > self.timeout {
                self.recorder.error(request.due, now, ErrorKind::ReplyTimedOut);
            } else {
                self.recorder.reply(request.due, now);
            }
            match user.next(request.due, now) {
                _ if joins => {}
                Some(next) if next <= now => self.due_now.push(next),
                Some(next) => {
                    self.timers.add(next, Timer::Request(index, next));
                }
                None => {}
            }
        }
        if self.is_ramping_up() && !self.due_now.is_empty() || joins {
            self.due_now.clear();
            self.waiting.push(index);
        }
    }
    // ANCHOR_END: send

    /// A user's request is over, well or not. Returns whether it was not the
    /// first.
    pub(super) fn first_reply(&mut self, index: usize, now: Instant) -> bool {
        let was_ready =
            std::mem::replace(&mut self.users[index].is_ready, true);
        if was_ready {
            return true;
        }
        self.users_ready += 1;
        if self.users_ready < self.users.len() {
            return false;
        }
        let duration = self.scenario.duration;
        match (self.scenario.is_one_shot(), self.scenario.kept) {
            // Idle connections are watched, a burst is over.
            (true, true) => self.timers.add(now + duration, Timer::End),
            (true, false) => self.timers.add(now, Timer::End),
            (false, true) => self.timers.add(now + WARM_UP, Timer::Begin),
            (false, false) => {}
        }
        false
    }
}
