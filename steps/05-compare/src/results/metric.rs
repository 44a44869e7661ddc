//! What is measured, by name: the columns of every table.

use super::round::Round;
use super::row::Row;
use super::units::three_digits;

/// A figure with its name, in the unit that the name says.
#[derive(Clone, Copy)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) of: fn(&Round) -> f64,
    aggregation: Aggregation,
    /// What a round without a reply counts as.
    dead: Option<f64>,
    /// From which figure on a round has lower bounds alone, if it has.
    pub(crate) bound: fn(&Round) -> Option<f64>,
}

/// How the rounds come to one figure. A median would hide a single bad round
/// where that is what matters.
#[derive(Clone, Copy)]
enum Aggregation {
    Median,
    Worst,
    Sum,
}

pub(crate) const RPS: Metric = median_of("RPS", |r| r.rps).dead(0.0);
/// Every failed request is in the mean.
pub(crate) const MEAN: Metric = latency("mean ms", |r| r.latency.mean * 1e3)
    .bounded(|r| r.lower_bounds_from.map(|_| 0.0));
pub(crate) const P50: Metric = latency("p50 ms", |r| r.latency.p50 * 1e3);
pub(crate) const P90: Metric = latency("p90 ms", |r| r.latency.p90 * 1e3);
pub(crate) const P99: Metric = latency("p99 ms", |r| r.latency.p99 * 1e3);
pub(crate) const P999: Metric = latency("p99.9 ms", |r| r.latency.p999 * 1e3);
pub(crate) const MAX: Metric =
    latency("max ms", |r| r.latency.max * 1e3).worst();
pub(crate) const REQUESTS: Metric = sum_of("requests", |r| r.requests as f64);
pub(crate) const ERRORS: Metric = sum_of("errors", |r| r.failed() as f64);
pub(crate) const CPU_PER_REQUEST: Metric =
    median_of("us/req", |r| r.cpu_per_request * 1e6)
        .dead(f64::INFINITY)
        .bounded(cpu_bound);
pub(crate) const CPU: Metric =
    median_of("CPU %", |r| r.cpu * 1e2).bounded(cpu_bound);
pub(crate) const CLIENT_CPU: Metric =
    median_of("client CPU %", |r| r.client_cpu * 1e2);
pub(crate) const SWITCHES: Metric =
    median_of("switches/req", |r| r.switches_per_request).dead(f64::INFINITY);
pub(crate) const MEMORY: Metric =
    median_of("MiB", |r| r.memory / 1_048_576.0).dead(f64::INFINITY);
pub(crate) const THREADS: Metric = median_of("threads", |r| r.threads).worst();
pub(crate) const MEMORY_EACH: Metric =
    median_of("KiB/connection", |r| r.memory_per_connection / 1_024.0)
        .dead(f64::INFINITY);
pub(crate) const THREADS_EACH: Metric =
    median_of("threads/connection", |r| r.threads_per_connection)
        .dead(f64::INFINITY);
pub(crate) const OVERFLOWS: Metric =
    sum_of("ListenOverflows", |r| r.counted("ListenOverflows"));
pub(crate) const DROPS: Metric =
    sum_of("ListenDrops", |r| r.counted("ListenDrops"));
pub(crate) const TIMEOUTS: Metric =
    sum_of("TCPTimeouts", |r| r.counted("TCPTimeouts"));
pub(crate) const RETRANSMITS: Metric =
    sum_of("RetransSegs", |r| r.counted("RetransSegs"));
pub(crate) const DELAYED_ACKS: Metric =
    sum_of("DelayedACKs", |r| r.counted("DelayedACKs"));

const fn median_of(name: &'static str, of: fn(&Round) -> f64) -> Metric {
    let aggregation = Aggregation::Median;
    Metric { name, of, aggregation, dead: None, bound: |_| None }
}

/// A server that answers nothing has no latency: it never ends.
const fn latency(name: &'static str, of: fn(&Round) -> f64) -> Metric {
    median_of(name, of)
        .dead(f64::INFINITY)
        .bounded(|r| r.lower_bounds_from.map(|seconds| seconds * 1e3))
}

fn cpu_bound(round: &Round) -> Option<f64> {
    round.cpu_is_bound.then_some(0.0)
}

const fn sum_of(name: &'static str, of: fn(&Round) -> f64) -> Metric {
    Metric { aggregation: Aggregation::Sum, ..median_of(name, of) }
}

impl Metric {
    const fn dead(self, value: f64) -> Self {
        Self { dead: Some(value), ..self }
    }

    const fn bounded(self, bound: fn(&Round) -> Option<f64>) -> Self {
        Self { bound, ..self }
    }

    const fn worst(self) -> Self {
        Self { aggregation: Aggregation::Worst, ..self }
    }

    /// One figure for all rounds; `None` where there was none. A round without
    /// a reply counts as the worst there is.
    pub(crate) fn aggregate(&self, row: &Row) -> Option<f64> {
        let figures = row.rounds.iter().map(|round| match self.dead {
            Some(worst) if round.is_dead() => worst,
            _ => (self.of)(round),
        });
        match self.aggregation {
            Aggregation::Median => median(figures),
            Aggregation::Worst => figures.reduce(f64::max),
            Aggregation::Sum => figures.reduce(|a, b| a + b),
        }
    }

    /// The same as it stands in a table, where a lower bound has a sign.
    pub(crate) fn format(&self, row: &Row) -> String {
        let bounds = row.rounds.iter().filter_map(self.bound);
        let bound = bounds.fold(f64::INFINITY, f64::min);
        match (self.aggregate(row), self.aggregation) {
            (None, _) => "-".into(),
            (Some(count), Aggregation::Sum) => format!("{count}"),
            (Some(figure), _) if figure >= bound && figure.is_finite() => {
                format!("≥{}", three_digits(figure))
            }
            (Some(figure), _) => three_digits(figure),
        }
    }
}

/// The value in the middle, or the mean of the two there; `None` of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, *upper))
}
