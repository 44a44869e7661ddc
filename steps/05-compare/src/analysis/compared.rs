//! The metrics by which servers are compared.

use crate::results::metric::{CPU_PER_REQUEST, MEMORY, Metric, P99, RPS};

/// A metric by which servers are compared.
pub(crate) struct ComparedMetric {
    pub(crate) metric: Metric,
    /// What `--fail-if` calls it.
    pub(crate) key: &'static str,
    /// What it is called.
    pub(crate) name: &'static str,
    /// A sentence with it.
    pub(crate) sentence: &'static str,
    /// Less than this, as a part of the whole, is no difference, however
    /// certain: another build of the same source may differ by as much.
    pub(super) min_ratio: f64,
    /// Nor is less than this, in the metric's unit.
    pub(super) min_difference: f64,
    pub(super) higher_is_better: bool,
}

pub(crate) static COMPARED: [ComparedMetric; 4] = [
    ComparedMetric {
        metric: CPU_PER_REQUEST,
        key: "cpu",
        name: "CPU time a request",
        sentence: "{server} used {times} the CPU time of {other} per request",
        min_ratio: 0.02,
        min_difference: 0.0,
        higher_is_better: false,
    },
    ComparedMetric {
        metric: RPS,
        key: "rps",
        name: "RPS",
        sentence: "{server} answered {times} the requests of {other} a second",
        min_ratio: 0.02,
        min_difference: 0.0,
        higher_is_better: true,
    },
    ComparedMetric {
        metric: P99,
        key: "p99",
        name: "p99 latency",
        sentence: "{server} had {times} the p99 latency of {other}",
        min_ratio: 0.05,
        min_difference: 0.0,
        higher_is_better: false,
    },
    ComparedMetric {
        metric: MEMORY,
        key: "memory",
        name: "peak memory",
        sentence: "{server} used {times} the memory of {other} at its peak",
        min_ratio: 0.05,
        min_difference: 0.25,
        higher_is_better: false,
    },
];
