//! What is measured, by name: the columns of every table.

use crate::figures::Figures;
use crate::results::Row;
use crate::statistics::median;

/// A figure with its name, in the unit that the name says.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) of: fn(&Figures) -> f64,
    over_rounds: Over,
}

/// How the rounds come to one figure. A median would hide a single bad round
/// where that is what matters.
#[derive(Clone, Copy)]
enum Over {
    Median,
    Worst,
    Sum,
}

// ANCHOR: measures
pub(crate) const RPS: Measure = median_of("RPS", |f| f.rps);
pub(crate) const MEAN: Measure = median_of("mean ms", |f| f.mean * 1e3);
pub(crate) const P50: Measure = median_of("p50 ms", |f| f.p50 * 1e3);
pub(crate) const P90: Measure = median_of("p90 ms", |f| f.p90 * 1e3);
pub(crate) const P99: Measure = median_of("p99 ms", |f| f.p99 * 1e3);
pub(crate) const P999: Measure = median_of("p99.9 ms", |f| f.p999 * 1e3);
pub(crate) const MAX: Measure = worst_of("max ms", |f| f.max * 1e3);
pub(crate) const ERRORS: Measure = sum_of("errors", |f| f.failed() as f64);
pub(crate) const CPU_PER_REQUEST: Measure =
    median_of("CPU us/req", |f| f.cpu_per_request * 1e6);
pub(crate) const CPU: Measure = median_of("CPU %", |f| f.cpu * 1e2);
pub(crate) const CLIENT_CPU: Measure =
    median_of("client CPU %", |f| f.client_cpu * 1e2);
pub(crate) const SWITCHES: Measure =
    median_of("switches/req", |f| f.switches_per_request);
pub(crate) const MEMORY: Measure =
    median_of("memory MiB", |f| f.memory / 1_048_576.0);
pub(crate) const THREADS: Measure = worst_of("threads", |f| f.threads);
pub(crate) const REQUESTS: Measure = sum_of("requests", |f| f.requests as f64);
pub(crate) const OVERFLOWS: Measure =
    sum_of("ListenOverflows", |f| f.kernel.listen_overflows as f64);
pub(crate) const DROPS: Measure =
    sum_of("ListenDrops", |f| f.kernel.listen_drops as f64);
pub(crate) const TIMEOUTS: Measure =
    sum_of("TCPTimeouts", |f| f.kernel.timeouts as f64);
pub(crate) const RESENT: Measure =
    sum_of("RetransSegs", |f| f.kernel.retransmits as f64);
pub(crate) const DELAYED: Measure =
    sum_of("DelayedACKs", |f| f.kernel.delayed_acks as f64);
pub(crate) const MEMORY_EACH: Measure =
    median_of("KiB/connection", |f| f.memory_per_connection / 1_024.0);
pub(crate) const THREADS_EACH: Measure =
    median_of("threads/connection", |f| f.threads_per_connection);
// ANCHOR_END: measures

const fn median_of(name: &'static str, of: fn(&Figures) -> f64) -> Measure {
    Measure { name, of, over_rounds: Over::Median }
}

const fn worst_of(name: &'static str, of: fn(&Figures) -> f64) -> Measure {
    Measure { name, of, over_rounds: Over::Worst }
}

const fn sum_of(name: &'static str, of: fn(&Figures) -> f64) -> Measure {
    Measure { name, of, over_rounds: Over::Sum }
}

impl Measure {
    /// One figure for all rounds; `None` where there was none.
    pub(crate) fn over(&self, row: &Row) -> Option<f64> {
        let figures = row.rounds.iter().map(self.of);
        match self.over_rounds {
            Over::Median => median(figures),
            Over::Worst => figures.reduce(f64::max),
            Over::Sum => figures.reduce(|a, b| a + b),
        }
    }

    /// The same as it stands in a table.
    pub(crate) fn show(&self, row: &Row) -> String {
        match (self.over(row), self.over_rounds) {
            (None, _) => "-".into(),
            (Some(count), Over::Sum) => format!("{count}"),
            (Some(figure), _) => crate::report::three_digits(figure),
        }
    }
}
