//! What was measured: successes by latency, failures by kind.
//!
//! A million latencies are eight megabytes and a sort. A histogram counts them
//! in buckets whose width grows with the value, so that each percentile is
//! right to three digits, whatever its size, in 256 KB. Each thread fills its
//! own, without a lock; at the end they are added up.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Problem;

/// The longest latency that is told apart from a longer one: an hour, in
/// nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

/// The outcome of a number of requests.
// ANCHOR: tally
#[derive(Clone, Debug)]
pub struct Tally {
    /// Nanoseconds of each request that succeeded.
    latencies: Histogram<u64>,
    problems: BTreeMap<Problem, u64>,
}

impl Tally {
    pub(crate) fn succeeded(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST);
        self.latencies.saturating_record(nanoseconds);
    }

    pub(crate) fn failed(&mut self, problem: Problem) {
        *self.problems.entry(problem).or_default() += 1;
    }

    /// Adds what another thread has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        // Both have the same bounds, which is all that could be wrong.
        let _ = self.latencies.add(&other.latencies);
        for (&problem, &count) in &other.problems {
            *self.problems.entry(problem).or_default() += count;
        }
    }
    // ANCHOR_END: tally

    /// The number of requests that got their `pong`.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.latencies.len()
    }

    /// The number of requests that did not.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.problems.values().sum()
    }

    /// How often each kind of failure came, the most frequent first.
    #[must_use]
    pub fn problems(&self) -> Vec<(Problem, u64)> {
        let mut problems: Vec<_> =
            self.problems.iter().map(|(&kind, &count)| (kind, count)).collect();
        problems.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        problems
    }

    /// The latencies of the requests that succeeded, if any did.
    #[must_use]
    pub fn latency(&self) -> Option<Latency> {
        let at = |quantile| {
            micros(self.latencies.value_at_quantile(quantile) as f64)
        };
        (!self.latencies.is_empty()).then(|| Latency {
            mean: micros(self.latencies.mean()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(self.latencies.max() as f64),
        })
    }
}

impl Default for Tally {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    fn default() -> Self {
        let latencies = Histogram::new_with_max(LONGEST, DIGITS)
            .expect("the bounds are in order");
        Self { latencies, problems: BTreeMap::new() }
    }
}

/// Latencies in microseconds: half of the requests took no longer than `p50`,
/// 999 of 1,000 no longer than `p999`.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[expect(missing_docs, reason = "named after what they are")]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Nanoseconds in microseconds, without digits that mean nothing.
fn micros(nanoseconds: f64) -> f64 {
    (nanoseconds / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;
    use crate::Problem;

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let (mut odd, mut even) = (Tally::default(), Tally::default());
        for n in 1..=1_000 {
            let tally = if n % 2 == 0 { &mut even } else { &mut odd };
            tally.succeeded(Duration::from_micros(n));
        }
        odd.add(&even);
        let latency = odd.latency().expect("a thousand samples");
        let near = |a: f64, b: f64| (a - b).abs() <= b / 1_000.0 + 0.1;
        assert!(near(latency.mean, 500.5), "{latency:?}");
        assert!(near(latency.p50, 500.0), "{latency:?}");
        assert!(near(latency.p99, 990.0), "{latency:?}");
        assert!(near(latency.p999, 999.0), "{latency:?}");
        assert!(near(latency.max, 1_000.0), "{latency:?}");
        assert_eq!(odd.successes(), 1_000);
    }

    #[test]
    fn the_most_frequent_failure_comes_first() {
        let mut tally = Tally::default();
        tally.failed(Problem::Refused);
        tally.failed(Problem::WrongReply);
        tally.failed(Problem::WrongReply);
        let expected = [(Problem::WrongReply, 2), (Problem::Refused, 1)];
        assert_eq!(tally.problems(), expected);
        assert_eq!((tally.successes(), tally.failures()), (0, 3));
        assert!(tally.latency().is_none());
    }

    #[test]
    fn a_latency_beyond_all_bounds_is_still_counted() {
        let mut tally = Tally::default();
        tally.succeeded(Duration::MAX);
        assert_eq!(tally.successes(), 1);
    }
}
