//! How a load begins and ends: users connect a few at a time, close in order.

use std::mem::replace;
use std::time::{Duration, Instant};

use super::timers::Timer;
use super::{Driver, WARM_UP};

/// Connections in the handshake at a time, where connections are kept: more
/// would overflow the accept queue.
const MAX_CONNECTING: usize = 128;
/// How long servers may take to close connections that we have closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

impl Driver<'_> {
    /// Adds the first timers.
    pub(super) fn start(&mut self) {
        let counts_at_once = self.scenario.counts_at_once();
        if counts_at_once {
            self.begin();
        }
        let (now, kept) = (Instant::now(), self.scenario.kept);
        self.timers.add(now, Timer::Look);
        if !kept {
            self.next_user = self.users.len();
            self.start_pacing(now);
        }
        if !counts_at_once {
            // Kept connections: or as soon as all users are ready.
            let wait = if kept { self.timeout } else { WARM_UP };
            self.timers.add(now + wait, Timer::Begin);
        }
    }

    /// Connects users whose connections are kept, a few at a time. Each sends
    /// a request and waits for the others: if it went on at once, those
    /// without a connection would compete with it for one.
    pub(super) fn ramp_up(&mut self) {
        while self.next_user < self.users.len()
            && self.next_user - self.users_ready < MAX_CONNECTING
        {
            self.next_user += 1;
            self.send_requests(self.next_user - 1, vec![Instant::now()]);
        }
    }

    /// A user's request is over, well or not. Returns whether it only was to
    /// connect: the user's next requests do not follow from it.
    pub(super) fn join(&mut self, index: usize, now: Instant) -> bool {
        if replace(&mut self.users[index].is_ready, true) {
            return false;
        }
        self.users_ready += 1;
        let are_all_ready = self.users_ready == self.users.len();
        let duration = self.scenario.duration;
        match (self.scenario.is_one_shot(), self.scenario.kept) {
            (false, true) if self.has_started => self.pace(index, now),
            _ if !are_all_ready => {}
            // Idle connections are watched, a burst is over.
            (true, true) => self.timers.add(now + duration, Timer::End),
            (true, false) => self.timers.add(now, Timer::End),
            (false, true) => {
                self.start_pacing(now);
                self.timers.add(now + WARM_UP, Timer::Begin);
            }
            (false, false) => {}
        }
        self.scenario.kept
    }

    /// Users send at their own pace: those of kept connections once ready.
    pub(super) fn start_pacing(&mut self, now: Instant) {
        if replace(&mut self.has_started, true) {
            return;
        }
        for index in 0..self.users.len() {
            if self.users[index].is_ready || !self.scenario.kept {
                self.pace(index, now);
            }
        }
    }

    /// A user begins, as if it had been at it for long.
    fn pace(&mut self, index: usize, now: Instant) {
        let (count, streams) = (self.users.len(), self.scenario.in_flight);
        let user = &mut self.users[index];
        for stream in 0..streams {
            let (number, all) = (index + stream * count, count * streams);
            let first = user.pacing.first(number, all, &mut user.random);
            self.timers.add(now + first, Timer::Request(index, now + first));
        }
    }

    /// Closes the connections in order: what comes before the server's FIN
    /// answers none of our requests.
    pub(super) fn drain(&mut self) {
        if replace(&mut self.is_draining, true) {
            return;
        }
        self.timers.add(Instant::now() + DRAIN_TIMEOUT, Timer::GiveUp);
        for user in &mut self.users {
            if self.scenario.is_one_shot() {
                user.close(); // no reply was taken for another
            } else if let Some(connection) = &user.connection {
                connection.shut_down();
            }
        }
    }
}
