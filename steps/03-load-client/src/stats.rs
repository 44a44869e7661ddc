//! What was measured: latencies in a histogram, failures by kind.
//!
//! A million latencies are eight megabytes and a sort. A histogram counts them
//! in buckets whose width grows with the value, so that each percentile is
//! right to three digits, whatever its size, in 256 KB. That is too much for
//! each of ten thousand threads, and a lock for each request would measure
//! itself. So a thread collects its outcomes in a batch, and takes the lock of
//! the one histogram when the batch is full.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::ErrorKind;
use crate::latency::{Latency, histogram, micros, nanoseconds};

/// Outcomes that a thread keeps to itself: 16 KB of them.
const BATCH_SIZE: usize = 256;

/// The outcome of all requests of a run.
// ANCHOR: stats
#[derive(Debug)]
pub(crate) struct Stats {
    /// Nanoseconds of each request: until its reply, or until it failed.
    latencies: Histogram<u64>,
    /// Nanoseconds by which the client itself sent late what was due.
    lateness: Histogram<u64>,
    errors: BTreeMap<ErrorKind, u64>,
    /// The shortest time until a request failed. A reply would have taken
    /// longer: from here on every figure is a lower bound.
    shortest_failure: Option<Duration>,
    last_sent: Option<Instant>,
    last_over: Option<Instant>,
    /// How long the threads were ready to run and had no core.
    waited_for_core: Duration,
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

    pub(crate) fn into_inner(shared: Mutex<Self>) -> Self {
        shared.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of requests that were made.
    pub(crate) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    /// How often each kind of failure came, the most frequent first.
    pub(crate) fn errors(&self) -> Vec<(ErrorKind, u64)> {
        let errors = self.errors.iter().map(|(&kind, &count)| (kind, count));
        let mut errors: Vec<_> = errors.collect();
        errors.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        errors
    }

    pub(crate) fn latency(&self) -> Option<Latency> {
        Latency::of(&self.latencies)
    }

    pub(crate) fn lateness(&self) -> Option<Latency> {
        Latency::of(&self.lateness)
    }

    /// In microseconds: figures from here on are lower bounds.
    pub(crate) fn lower_bounds_from(&self) -> Option<f64> {
        self.shortest_failure.map(|time| micros(time.as_nanos() as f64))
    }

    /// The requests per second that were sent, by a schedule from `start`.
    pub(crate) fn sent_per_second(&self, start: Instant) -> Option<f64> {
        let seconds = (self.last_sent? - start).as_secs_f64();
        // The first is sent at the start, and takes no time of its own.
        (seconds > 0.0).then(|| (self.requests() - 1) as f64 / seconds)
    }

    /// From `start` until the last request was over.
    pub(crate) fn elapsed(&self, start: Instant) -> Duration {
        self.last_over.unwrap_or_else(Instant::now) - start
    }

    /// In microseconds, for each request on average.
    pub(crate) fn waited_for_core(&self) -> f64 {
        let nanoseconds = self.waited_for_core.as_nanos() as f64;
        micros(nanoseconds / self.requests().max(1) as f64)
    }
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
        let mut stats =
            self.stats.lock().unwrap_or_else(PoisonError::into_inner);
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Batch, Outcome, Stats};
    use crate::ErrorKind;

    /// Two threads count these latencies, every second one each.
    fn stats(outcomes: &[(Duration, Option<ErrorKind>)]) -> Stats {
        let shared = Stats::shared();
        let mut batches = [Batch::new(&shared), Batch::new(&shared)];
        let sent = Instant::now();
        for (number, &(latency, error)) in outcomes.iter().enumerate() {
            let (over, late) = (sent, None);
            let outcome = Outcome { sent, over, latency, late, error };
            batches[number % 2].record(outcome);
        }
        drop(batches);
        Stats::into_inner(shared)
    }

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let all: Vec<_> =
            (1..=1_000).map(|n| (Duration::from_micros(n), None)).collect();
        let stats = stats(&all);
        let latency = stats.latency().expect("a thousand samples");
        let near = |a: f64, b: f64| (a - b).abs() <= b / 1_000.0 + 0.1;
        assert!(near(latency.mean, 500.5), "{latency:?}");
        assert!(near(latency.p50, 500.0), "{latency:?}");
        assert!(near(latency.p99, 990.0), "{latency:?}");
        assert!(near(latency.p999, 999.0), "{latency:?}");
        assert!(near(latency.max, 1_000.0), "{latency:?}");
        assert_eq!(stats.requests(), 1_000);
        assert_eq!(stats.lower_bounds_from(), None);
    }

    #[test]
    fn the_most_frequent_failure_comes_first() {
        let ms = Duration::from_millis;
        let stats = stats(&[
            (ms(5), Some(ErrorKind::ConnectionRefused)),
            (ms(9), Some(ErrorKind::WrongReply)),
            (ms(9), Some(ErrorKind::WrongReply)),
        ]);
        let expected =
            [(ErrorKind::WrongReply, 2), (ErrorKind::ConnectionRefused, 1)];
        assert_eq!(stats.errors(), expected);
        assert_eq!(stats.lower_bounds_from(), Some(5_000.0));
    }

    #[test]
    fn a_latency_beyond_all_bounds_is_still_counted() {
        assert_eq!(stats(&[(Duration::MAX, None)]).requests(), 1);
    }
}
