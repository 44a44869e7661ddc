//! What was measured: latencies in a histogram, failures by kind.
//!
//! A histogram has 256 KB: too much for each of ten thousand threads, and a
//! message for each request would measure itself. So a thread collects its
//! outcomes in a batch, and the main thread, which has the one histogram, takes
//! it away every 20 ms.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::ErrorKind;
use crate::latency::{histogram, nanoseconds};

/// The outcome of all requests of a run.
pub(crate) struct Stats {
    /// Nanoseconds of each request: until its reply, or until it failed.
    pub(crate) latencies: Histogram<u64>,
    /// Nanoseconds by which the client itself sent late what was due.
    pub(crate) lateness: Histogram<u64>,
    errors: BTreeMap<ErrorKind, u64>,
    /// Requests that still waited when the run ended early, sent or not.
    pub(crate) cut: u64,
    /// The shortest time until a request failed or was cut. A reply would have
    /// taken longer: from here on every figure is a lower bound.
    pub(crate) shortest_failure: Option<Duration>,
    pub(crate) last_sent: Option<Instant>,
    pub(crate) last_over: Option<Instant>,
    /// How long the threads were ready to run and had no core.
    pub(crate) waited_for_core: Duration,
}

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// `None`: the run ended before a thread was free.
    pub(crate) sent: Option<Instant>,
    /// The reply was there, or the request had failed.
    pub(crate) over: Instant,
    /// From when it was due, or else sent.
    pub(crate) latency: Duration,
    /// How late the client itself was, where there is a schedule.
    pub(crate) late: Option<Duration>,
    pub(crate) error: Option<ErrorKind>,
    /// The run was over before the request was.
    pub(crate) is_cut: bool,
}

impl Stats {
    /// Adds what one thread has counted.
    pub(crate) fn add(&mut self, batch: &Batch) {
        batch.outcomes.iter().for_each(|outcome| self.record(outcome));
        if batch.unrequested > 0 {
            let kind = ErrorKind::UnrequestedReply;
            self.record_errors(kind, batch.unrequested, Duration::ZERO);
        }
        self.waited_for_core += batch.waited_for_core;
    }

    fn record(&mut self, outcome: &Outcome) {
        self.latencies.saturating_record(nanoseconds(outcome.latency));
        if let Some(late) = outcome.late {
            self.lateness.saturating_record(nanoseconds(late));
        }
        if let Some(kind) = outcome.error {
            self.record_errors(kind, 1, outcome.latency);
        }
        if outcome.is_cut {
            self.cut += 1;
            self.lower_bound(outcome.latency);
        }
        self.last_sent = self.last_sent.max(outcome.sent);
        self.last_over = self.last_over.max(Some(outcome.over));
    }

    /// `count` of the recorded requests have failed, after `time` or more.
    fn record_errors(&mut self, kind: ErrorKind, count: u64, time: Duration) {
        *self.errors.entry(kind).or_default() += count;
        self.lower_bound(time);
    }

    fn lower_bound(&mut self, time: Duration) {
        let shortest = self.shortest_failure.map_or(time, |s| s.min(time));
        self.shortest_failure = Some(shortest);
    }

    pub(crate) fn new() -> Self {
        Self {
            latencies: histogram(),
            lateness: histogram(),
            errors: BTreeMap::new(),
            cut: 0,
            shortest_failure: None,
            last_sent: None,
            last_over: None,
            waited_for_core: Duration::ZERO,
        }
    }

    /// How often each kind of failure came, the most frequent first.
    pub(crate) fn errors(&self) -> Vec<(ErrorKind, u64)> {
        let mut errors = Vec::from_iter(self.errors.clone());
        errors.sort_by_key(|&(_, count)| Reverse(count));
        errors
    }
}

/// What one thread has counted, until the main thread takes it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) outcomes: Vec<Outcome>,
    /// Replies that no request asked for. Each may have passed for the reply
    /// to another; which ones is not known.
    pub(crate) unrequested: u64,
    pub(crate) waited_for_core: Duration,
}

/// How long this thread was ready to run and had no core, on Linux.
/// `/proc/thread-self/schedstat`: ran, waited (both in nanoseconds), times.
pub fn waited_for_core() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat");
    let waited = text.unwrap_or_default();
    let waited = waited.split(' ').nth(1).and_then(|text| text.parse().ok());
    Duration::from_nanos(waited.unwrap_or(0))
}
