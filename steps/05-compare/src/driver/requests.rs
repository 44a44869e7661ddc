//! What the driver does when something is due, answered, or has failed.

use std::time::{Duration, Instant};

use super::agenda::Entry;
use super::fault::Fault;
use super::tally::SAMPLE_PERIOD;
use super::{Driver, Times};
use crate::kernel::Counters;
use crate::scenario::Connections;

/// How long a user rests whose request has failed: to try at once would only
/// fail again, a million times a second.
const REST: Duration = Duration::from_millis(100);
/// Users who may be on their way in at a time, where connections are kept.
/// More would overflow the accept queue, and what is measured there is how
/// connections are served that exist.
const DOOR: usize = 128;

impl Driver<'_> {
    /// Puts the first entries into the agenda.
    // ANCHOR: open
    pub(super) fn open(&mut self) {
        let now = Instant::now();
        self.agenda.add(now, Entry::Sample);
        if self.scenario.counts_at_once() {
            self.begin(now);
        } else {
            // Kept connections: or as soon as all users are in.
            let kept = self.scenario.connections == Connections::Kept;
            let Times { warm_up, timeout, .. } = self.times;
            let wait = if kept { timeout } else { warm_up };
            self.agenda.add(now + wait, Entry::Begin);
        }
        if self.scenario.connections == Connections::PerRequest {
            let count = self.users.len();
            for (index, user) in self.users.iter_mut().enumerate() {
                let due = now + user.first(count);
                self.agenda.add(due, Entry::Request(index));
            }
            self.next_to_come = count;
        }
    }

    /// Lets users in whose connections are kept.
    pub(super) fn let_in(&mut self) {
        while self.next_to_come < self.users.len()
            && self.next_to_come - self.users_in < DOOR
        {
            let index = self.next_to_come;
            self.next_to_come += 1;
            self.ask_all(index);
        }
        if !self.holds() {
            for index in std::mem::take(&mut self.held) {
                self.ask_all(index);
            }
        }
    }

    /// Whether users who are in wait for the others: if they went on at once,
    /// those still outside would have to push past them.
    fn holds(&self) -> bool {
        self.scenario.connections == Connections::Kept
            && self.users_in < self.users.len()
            && !self.tally.has_begun()
    }

    /// A user sends as many requests as it may have on the way.
    fn ask_all(&mut self, index: usize) {
        let on_the_way = self.users[index].waiting();
        let count = self.scenario.in_flight.saturating_sub(on_the_way);
        self.ready.resize(count, Instant::now());
        self.request(index);
    }
    // ANCHOR_END: open

    /// Does all that is due by now.
    // ANCHOR: agenda
    pub(super) fn keep_agenda(&mut self) {
        let now = Instant::now();
        while let Some((due, entry)) = self.agenda.take(now) {
            match entry {
                Entry::Begin => self.begin(now),
                Entry::Sample => self.sample(now),
                Entry::End => self.end(now),
                Entry::Request(index) => {
                    self.tally.late(due, Instant::now());
                    self.ready.push(due);
                    self.request(index);
                }
            }
        }
    }

    fn begin(&mut self, now: Instant) {
        if self.tally.has_begun() {
            return;
        }
        self.counters_at_begin = Counters::now();
        self.cpu_at_begin = self.meter.cpu_time();
        self.tally.begin(now, self.meter.footprint());
        if !self.scenario.is_one_shot() {
            self.agenda.add(now + self.times.duration, Entry::End);
        }
    }

    /// From here on no request is sent; those on the way are waited for.
    pub(super) fn end(&mut self, now: Instant) {
        if self.tally.has_ended() {
            return;
        }
        self.tally.cpu = self.meter.cpu_time().since(self.cpu_at_begin);
        self.look(now);
        self.tally.end(now);
    }

    /// Looks at the server and at the kernel's counters.
    fn look(&mut self, now: Instant) {
        let counters = Counters::now().since(self.counters_at_begin);
        self.tally.sample(now, counters, self.meter.footprint());
    }

    /// Looks, and sees to those who have waited for too long.
    fn sample(&mut self, now: Instant) {
        self.look(now);
        self.agenda.add(now + SAMPLE_PERIOD, Entry::Sample);
        let Some(longest_ago) = now.checked_sub(self.times.timeout) else {
            return;
        };
        for index in 0..self.users.len() {
            let since = self.users[index].waiting_since();
            if since.is_some_and(|due| due < longest_ago) {
                self.fail(index, Fault::TimedOut, now);
            }
        }
    }
    // ANCHOR_END: agenda

    /// A user sends the requests that are `ready`.
    // ANCHOR: request
    fn request(&mut self, index: usize) {
        self.ready.retain(|&due| !self.tally.is_past(due));
        if self.ready.is_empty() {
            return;
        }
        self.in_flight += self.ready.len();
        let user = &mut self.users[index];
        let asked = user.ask(&self.ready, self.address, &self.poller);
        self.ready.clear();
        if let Err(fault) = asked {
            self.fail(index, fault, Instant::now());
        }
    }

    /// An event for a user: replies, room to send, or the connection's end.
    pub(super) fn attend(&mut self, index: usize, hang_up: bool) {
        let (user, buffer) = (&mut self.users[index], &mut self.buffer);
        let answered = &mut self.ready;
        let heard = user.hear(hang_up, buffer, &self.poller, answered);
        let now = Instant::now();
        if !self.ready.is_empty() {
            self.note_replies(index, now);
        }
        match heard {
            Ok(()) => self.request(index),
            Err(fault) => {
                for _ in self.ready.drain(..) {
                    self.agenda.add(now + REST, Entry::Request(index));
                }
                self.fail(index, fault, now);
            }
        }
    }

    /// Counts what was answered, and leaves in `ready` what that makes due
    /// already; the rest is for the agenda.
    fn note_replies(&mut self, index: usize, now: Instant) {
        self.in_flight -= self.ready.len();
        self.comes_in(index, now);
        let user = &mut self.users[index];
        self.ready.retain_mut(|due| {
            self.tally.reply(*due, now);
            let Some(next) = user.next(*due, now) else { return false };
            *due = next;
            if next > now {
                self.agenda.add(next, Entry::Request(index));
            }
            next <= now
        });
        if self.holds() && !self.ready.is_empty() {
            self.ready.clear();
            self.held.push(index);
        }
    }
    // ANCHOR_END: request

    /// All that a user waits for comes to nothing.
    // ANCHOR: fail
    fn fail(&mut self, index: usize, fault: Fault, now: Instant) {
        let user = &mut self.users[index];
        let dues = user.hang_up();
        self.in_flight -= dues.len();
        if dues.is_empty() {
            // It was idle. That counts, but its next request is due already.
            self.tally.fault(now, fault);
        }
        // Those who are held will ask for all that they may.
        let held = self.held.contains(&index);
        for due in dues {
            self.tally.fault(due, fault);
            if let Some(next) = user.next(due, now).filter(|_| !held) {
                let next = next.max(now + REST);
                self.agenda.add(next, Entry::Request(index));
            }
        }
        self.comes_in(index, now);
    }
    // ANCHOR_END: fail

    /// A user's request is over, well or not: was it the first?
    fn comes_in(&mut self, index: usize, now: Instant) {
        let was_in = std::mem::replace(&mut self.users[index].is_in, true);
        if was_in {
            return;
        }
        self.users_in += 1;
        if self.users_in < self.users.len() {
            return;
        }
        let kept = self.scenario.connections == Connections::Kept;
        match (self.scenario.is_one_shot(), kept) {
            // Idle connections are looked at, a burst is over.
            (true, true) => {
                self.agenda.add(now + self.times.duration, Entry::End);
            }
            (true, false) => self.agenda.add(now, Entry::End),
            (false, true) => {
                self.agenda.add(now + self.times.warm_up, Entry::Begin);
            }
            (false, false) => {}
        }
    }
}
