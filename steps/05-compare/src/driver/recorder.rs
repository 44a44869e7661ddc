//! What the driver counts while it runs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::error::RequestError;
use crate::results::builder::histogram;
use crate::results::counters::Counters;
use crate::results::row::Sample;
use crate::target::usage::{CpuTime, Footprint};

/// How often server and kernel are looked at, and the width of a [`Sample`].
pub(crate) const SAMPLE_PERIOD: Duration = Duration::from_millis(50);

/// All that one measurement saw.
// ANCHOR: recorder
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Requests that are due from here on count.
    pub(super) begin: Option<Instant>,
    /// Requests that are due from here on are not sent.
    pub(super) end: Option<Instant>,
    /// In nanoseconds, of requests that were due in between: until the reply,
    /// and until the others failed.
    pub(super) replies: Histogram<u64>,
    pub(super) failures: Histogram<u64>,
    /// Requests that were due before the end and failed.
    pub(super) errors: BTreeMap<RequestError, u64>,
    /// The shortest time until a request failed: a reply would have taken
    /// longer.
    pub(super) shortest_failure: Option<Duration>,
    /// Good replies that came in between, and what they cost.
    pub(super) served: u64,
    /// All good replies that ever came.
    pub(super) answered: u64,
    /// How late, in nanoseconds, this program itself sent what was due.
    pub(super) lateness: Histogram<u64>,
    pub(crate) cpu: CpuTime,
    /// What the kernel counted, up to the last reply.
    pub(crate) counters: Counters,
    pub(super) users: usize,
    pub(super) footprint_at_begin: Footprint,
    pub(super) footprint_most: Footprint,
    pub(super) samples: Vec<Sample>,
    pub(super) retransmits: u64,
}
// ANCHOR_END: recorder

impl Recorder {
    pub(crate) fn new(users: usize) -> Self {
        Self {
            begin: None,
            end: None,
            replies: histogram(),
            failures: histogram(),
            errors: BTreeMap::new(),
            shortest_failure: None,
            served: 0,
            answered: 0,
            lateness: histogram(),
            cpu: CpuTime::default(),
            counters: Counters::default(),
            users,
            footprint_at_begin: Footprint::default(),
            footprint_most: Footprint::default(),
            samples: Vec::new(),
            retransmits: 0,
        }
    }

    pub(crate) fn begin(&mut self, now: Instant, footprint: Footprint) {
        self.begin = Some(now);
        self.footprint_at_begin = footprint;
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.end = Some(now);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begin.is_some()
    }

    pub(crate) fn end_time(&self) -> Option<Instant> {
        self.end
    }

    /// Whether it is too late to send what was due at `due`.
    pub(crate) fn is_past(&self, due: Instant) -> bool {
        self.end.is_some_and(|end| due >= end)
    }

    /// Whether what was due at `due` belongs to what is measured.
    fn counts(&self, due: Instant) -> bool {
        self.begin.is_some_and(|begin| due >= begin) && !self.is_past(due)
    }

    /// A good reply came at `now` to what was due at `due`.
    // ANCHOR: reply
    pub(crate) fn reply(&mut self, due: Instant, now: Instant) {
        self.answered += 1;
        if self.has_begun() && self.end.is_none() {
            self.served += 1;
        }
        if self.counts(due) {
            self.replies.saturating_record(nanoseconds(now - due));
            self.slowest(due, now);
        }
    }

    /// What was due at `due` has failed at `now`, which counts as its latency:
    /// at least so long. Failures of the warm-up count, too.
    pub(crate) fn error(
        &mut self,
        due: Instant,
        now: Instant,
        error: RequestError,
    ) {
        if !self.is_past(due) {
            *self.errors.entry(error).or_default() += 1;
            if self.counts(due) {
                self.failures.saturating_record(nanoseconds(now - due));
                self.slowest(due, now);
                self.lower_bound(now - due);
            }
        }
    }

    /// So many replies came beyond what was asked for. Each may have passed for
    /// the reply to another request: then its latency is too short.
    pub(crate) fn unrequested(&mut self, count: usize) {
        if count > 0 {
            let errors = self.errors.entry(RequestError::UnrequestedReply);
            *errors.or_default() += count as u64;
            self.lower_bound(Duration::ZERO);
        }
    }

    fn slowest(&mut self, due: Instant, now: Instant) {
        let latency = (now - due).as_secs_f64();
        let sample = self.sample_at(due);
        sample.slowest = sample.slowest.max(latency);
    }
    // ANCHOR_END: reply

    fn lower_bound(&mut self, time: Duration) {
        let shortest = self.shortest_failure.map_or(time, |s| s.min(time));
        self.shortest_failure = Some(shortest);
    }

    /// This program itself was so late with what it was to send at `due`.
    pub(crate) fn late(&mut self, due: Instant, now: Instant) {
        if self.counts(due) {
            self.lateness.saturating_record(nanoseconds(now - due));
        }
    }

    /// What a look at server and kernel showed at `now`.
    pub(crate) fn sample(
        &mut self,
        now: Instant,
        counters: Counters,
        footprint: Footprint,
    ) {
        if self.has_begun() {
            let retransmits = counters.retransmits - self.retransmits;
            self.retransmits = counters.retransmits;
            let most = &mut self.footprint_most;
            most.memory = most.memory.max(footprint.memory);
            most.threads = most.threads.max(footprint.threads);
            let sample = self.sample_at(now);
            sample.retransmits += retransmits;
            sample.memory = footprint.memory;
        }
    }

    fn sample_at(&mut self, at: Instant) -> &mut Sample {
        let begin = self.begin.unwrap_or(at);
        let index = (at - begin).div_duration_f64(SAMPLE_PERIOD) as usize;
        while index >= self.samples.len() {
            let at = SAMPLE_PERIOD.as_secs_f64() * self.samples.len() as f64;
            self.samples.push(Sample { at, ..Sample::default() });
        }
        &mut self.samples[index]
    }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::round::RoundStats;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn only_what_was_due_between_begin_and_end_counts() {
        let start = Instant::now();
        let mut recorder = Recorder::new(1);
        recorder.reply(start, start + MS); // the warm-up
        recorder.begin(start + 2 * MS, Footprint::default());
        recorder.reply(start + MS, start + 3 * MS); // served, due before
        recorder.reply(start + 3 * MS, start + 4 * MS);
        recorder.end(start + 12 * MS);
        recorder.reply(start + 4 * MS, start + 1_004 * MS); // answered after
        recorder.error(start + 4 * MS, start + 9 * MS, RequestError::TimedOut);
        recorder.error(start + 12 * MS, start + 13 * MS, RequestError::Closed);
        let stats = recorder.finish().stats;
        assert!((stats.rps - 200.0).abs() < 1e-9, "{stats:?}");
        assert_eq!((stats.requests, stats.succeeded), (3, 2));
        assert_eq!(stats.failed(), 1);
        assert_eq!(stats.lower_bounds_from, Some(0.005));
        assert!(stats.max >= 1.0, "{stats:?}");
        assert_eq!(stats.retransmit_counts, BTreeMap::from([(1, 1)]));
    }

    #[test]
    fn a_round_without_a_reply_can_be_written_and_read() {
        let stats = Recorder::new(1).finish().stats;
        assert!(stats.is_dead());
        let json = serde_json::to_string(&stats).expect("JSON");
        assert!(serde_json::from_str::<RoundStats>(&json).is_ok(), "{json}");
    }
}
