//! Times: a histogram of nanoseconds, and what it is summed up as.

use std::time::Duration;

use hdrhistogram::Histogram;
use protocol::Language;
use serde::{Deserialize, Serialize};

/// The longest time that is told apart from a longer one: an hour, in
/// nanoseconds.
const MAX_NS: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Times: half of the requests took no longer than `p50`, 999 of 1,000 no
/// longer than `p999`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are what they are")]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Latency {
    /// In the unit that `unit` makes of nanoseconds. `None` where nothing was
    /// recorded.
    pub fn of(
        histogram: &Histogram<u64>,
        unit: fn(f64) -> f64,
    ) -> Option<Self> {
        let at = |q| unit(histogram.value_at_quantile(q) as f64);
        (!histogram.is_empty()).then(|| Self {
            mean: unit(histogram.mean()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: unit(histogram.max() as f64),
        })
    }

    /// Lines in milliseconds, of microseconds: from `bound` on lower bounds.
    pub(crate) fn rows(self, bound: f64, l: Language) -> String {
        let Self { mean, p50, p90, p99, p999, max } = self;
        let rows = [
            (l.pick("平均 ", "mean "), mean),
            ("p50  ", p50),
            ("p90  ", p90),
            ("p99  ", p99),
            ("p99.9", p999),
            (l.pick("最大 ", "max  "), max),
        ];
        // The mean has every failed request in it.
        let sign = |name: usize, us| {
            let bounded = us >= bound || name == 0 && bound.is_finite();
            if bounded { "≥" } else { " " }
        };
        let line = |(row, (name, us))| {
            format!("  {name} {}{:>9.3}\n", sign(row, us), us / 1_000.0)
        };
        rows.into_iter().enumerate().map(line).collect()
    }
}

/// An empty histogram of nanoseconds: up to an hour, to three digits.
#[expect(clippy::expect_used, reason = "the bounds are constants")]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_NS, SIGNIFICANT_DIGITS)
        .expect("the bounds are in order")
}

/// `time` in nanoseconds, an hour at the most.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).map_or(MAX_NS, |time| time.min(MAX_NS))
}

/// Nanoseconds in microseconds, without digits that mean nothing.
pub(crate) fn micros(nanoseconds: f64) -> f64 {
    (nanoseconds / 100.0).round() / 10.0
}
