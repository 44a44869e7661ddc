//! How a load begins and ends: users connect a few at a time, and close in
//! order.

use std::time::{Duration, Instant};

use super::timers::Timer;
use super::{Driver, WARM_UP};

/// Connections in the handshake at a time, where connections are kept. More
/// would overflow the accept queue, and what is measured there is how
/// connections are served that exist.
const MAX_CONNECTING: usize = 128;
/// How long servers may take to close connections that we have closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

impl Driver<'_> {
    /// Adds the first timers.
    // ANCHOR: start
    pub(super) fn start(&mut self) {
        let now = Instant::now();
        self.timers.add(now, Timer::Sample);
        self.timers.add(now, Timer::CheckTimeouts);
        if self.scenario.counts_at_once() {
            self.begin(now);
        } else {
            // Kept connections: or as soon as all users are ready.
            let kept = self.scenario.kept;
            let wait = if kept { self.timeout } else { WARM_UP };
            self.timers.add(now + wait, Timer::Begin);
        }
        if !self.scenario.kept {
            for index in 0..self.users.len() {
                self.start_pacing(index, now);
            }
            self.next_user = self.users.len();
        }
    }

    /// Connects users whose connections are kept, a few at a time.
    pub(super) fn ramp_up(&mut self) {
        while self.next_user < self.users.len()
            && self.next_user - self.users_ready < MAX_CONNECTING
        {
            let index = self.next_user;
            self.next_user += 1;
            self.fill_window(index);
        }
        if !self.is_ramping_up() {
            let now = Instant::now();
            for index in std::mem::take(&mut self.waiting) {
                if self.scenario.is_paced() {
                    self.start_pacing(index, now);
                } else {
                    self.fill_window(index);
                }
            }
        }
    }

    /// Whether users that are ready wait for the others: if they went on at
    /// once, those without a connection would compete with them for one.
    pub(super) fn is_ramping_up(&self) -> bool {
        self.scenario.kept
            && self.users_ready < self.users.len()
            && self.recorder.begin.is_none()
    }

    /// A user begins with its own pace, as if it had been at it for long.
    fn start_pacing(&mut self, index: usize, now: Instant) {
        let (count, streams) = (self.users.len(), self.scenario.in_flight);
        for stream in 0..streams {
            let number = index + stream * count;
            let first = self.users[index].first(number, count * streams);
            self.timers.add(now + first, Timer::Request(index, now + first));
        }
    }

    /// A user sends as many requests as it may have in flight.
    fn fill_window(&mut self, index: usize) {
        let in_flight = self.users[index].in_flight.len();
        let count = self.scenario.in_flight.saturating_sub(in_flight);
        self.due_now.resize(count, Instant::now());
        self.send_requests(index);
    }
    // ANCHOR_END: start

    /// Closes the connections in order: what comes before the server's FIN
    /// answers none of our requests.
    pub(super) fn drain(&mut self) {
        if self.is_draining {
            return;
        }
        self.is_draining = true;
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
