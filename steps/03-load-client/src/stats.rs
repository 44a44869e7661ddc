//! What was measured: latencies in a histogram, failures by kind.
//!
//! A million latencies are eight megabytes and a sort. A histogram counts them
//! in buckets whose width grows with the value, so that each percentile is
//! right to three digits, whatever its size, in 256 KB. That is too much for
//! each of ten thousand threads, and a lock for each request would measure
//! itself. So a thread collects its outcomes in a batch, and takes the lock of
//! the one histogram when the batch is full.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::ErrorKind;
use crate::latency::{histogram, nanoseconds};

/// Outcomes that a thread keeps to itself: 16 KB of them.
const BATCH_SIZE: usize = 256;

/// The outcome of all requests of a run.
// ANCHOR: stats
#[derive(Debug)]
pub(crate) struct Stats {
    /// Nanoseconds of each request: until its reply, or until it failed.
    pub(crate) latencies: Histogram<u64>,
    /// Nanoseconds by which the client itself sent late what was due.
    pub(crate) lateness: Histogram<u64>,
    errors: BTreeMap<ErrorKind, u64>,
    /// The shortest time until a request failed. A reply would have taken
    /// longer: from here on every figure is a lower bound.
    pub(crate) shortest_failure: Option<Duration>,
    pub(crate) last_sent: Option<Instant>,
    pub(crate) last_over: Option<Instant>,
    /// How long the threads were ready to run and had no core.
    pub(crate) waited_for_core: Duration,
}

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) sent: Instant,
    /// The reply was there, or the request had failed.
    pub(crate) over: Instant,
    /// From when it was due, or else sent.
    pub(crate) latency: Duration,
    /// How late the client itself was, where there is a schedule.
    pub(crate) late: Option<Duration>,
    pub(crate) error: Option<ErrorKind>,
}

impl Stats {
    fn record(&mut self, outcome: &Outcome) {
        self.latencies.saturating_record(nanoseconds(outcome.latency));
        if let Some(late) = outcome.late {
            self.lateness.saturating_record(nanoseconds(late));
        }
        if let Some(kind) = outcome.error {
            self.record_errors(kind, 1, outcome.latency);
        }
        self.last_sent = self.last_sent.max(Some(outcome.sent));
        self.last_over = self.last_over.max(Some(outcome.over));
    }

    /// `count` of the recorded requests have failed, after `time` or more.
    fn record_errors(&mut self, kind: ErrorKind, count: u64, time: Duration) {
        *self.errors.entry(kind).or_default() += count;
        let shortest = self.shortest_failure.map_or(time, |s| s.min(time));
        self.shortest_failure = Some(shortest);
    }
    // ANCHOR_END: stats

    pub(crate) fn shared() -> Mutex<Self> {
        Mutex::new(Self {
            latencies: histogram(),
            lateness: histogram(),
            errors: BTreeMap::new(),
            shortest_failure: None,
            last_sent: None,
            last_over: None,
            waited_for_core: Duration::ZERO,
        })
    }

    /// How often each kind of failure came, the most frequent first.
    pub(crate) fn errors(&self) -> Vec<(ErrorKind, u64)> {
        let errors = self.errors.iter().map(|(&kind, &count)| (kind, count));
        let mut errors: Vec<_> = errors.collect();
        errors.sort_by_key(|&(_, count)| Reverse(count));
        errors
    }
}

/// For this thread alone. A thread that panicked leaves no figure half written.
pub(crate) fn lock(stats: &Mutex<Stats>) -> MutexGuard<'_, Stats> {
    stats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread has counted, on its way into the [`Stats`] of all.
// ANCHOR: batch
pub(crate) struct Batch<'a> {
    outcomes: Vec<Outcome>,
    stats: &'a Mutex<Stats>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(stats: &'a Mutex<Stats>) -> Self {
        Self { outcomes: Vec::new(), stats }
    }

    pub(crate) fn record(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
        if self.outcomes.len() == BATCH_SIZE {
            self.update(|_| ());
        }
    }

    /// So many replies came that no request asked for, and each may have
    /// passed for the reply to another. Which ones is not known.
    pub(crate) fn record_unrequested(&mut self, count: u64) {
        if count > 0 {
            self.update(|stats| {
                let kind = ErrorKind::UnrequestedReply;
                stats.record_errors(kind, count, Duration::ZERO);
            });
        }
    }

    fn update(&mut self, more: impl FnOnce(&mut Stats)) {
        let mut stats = lock(self.stats);
        self.outcomes.drain(..).for_each(|outcome| stats.record(&outcome));
        more(&mut stats);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let waited = waited_for_core();
        self.update(|stats| stats.waited_for_core += waited);
    }
}
// ANCHOR_END: batch

/// How long this thread was ready to run and had no core, on Linux.
/// `/proc/thread-self/schedstat`: ran, waited (both in nanoseconds), times.
fn waited_for_core() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat");
    let waited = text.unwrap_or_default();
    let waited = waited.split(' ').nth(1).and_then(|text| text.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}
