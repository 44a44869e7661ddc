//! How servers differ, and whether they do.

use serde::Serialize;

use super::statistics::{Ratio, USUAL};
use super::validity::client_was_busy;
use crate::results::metric::{
    CPU_PER_REQUEST, MEMORY, Metric, P99, RPS, median,
};
use crate::results::round::Round;
use crate::results::row::{Results, Row};

/// A metric by which servers are compared.
pub(crate) struct ComparedMetric {
    pub(crate) metric: Metric,
    /// What `--fail-if` calls it, what it is called, and a sentence with it.
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) sentence: &'static str,
    /// Less than this, as a part of the whole, is no difference, however
    /// certain: another build of the same source may differ by as much.
    min_ratio: f64,
    /// Nor is less than this, in the metric's unit.
    min_difference: f64,
}

#[rustfmt::skip] // a table
pub(crate) static COMPARED: [ComparedMetric; 4] = [
    compared(CPU_PER_REQUEST, "cpu", "CPU time a request", 0.02, 0.0,
        "{server} used {times} the CPU time of {other} per request"),
    compared(RPS, "rps", "RPS", 0.02, 0.0,
        "{server} answered {times} the requests of {other} a second"),
    compared(P99, "p99", "p99 latency", 0.05, 0.0,
        "{server} had {times} the p99 latency of {other}"),
    compared(MEMORY, "memory", "peak memory", 0.05, 0.25,
        "{server} used {times} the memory of {other} at its peak"),
];

const fn compared(
    metric: Metric,
    key: &'static str,
    name: &'static str,
    min_ratio: f64,
    min_difference: f64,
    sentence: &'static str,
) -> ComparedMetric {
    ComparedMetric { metric, key, name, sentence, min_ratio, min_difference }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ratio: Ratio,
    /// Whether it is more than noise, and large enough to matter.
    pub(crate) is_significant: bool,
    /// It would be, but the better one has failures.
    #[serde(skip)]
    pub(crate) is_flattered: bool,
    /// The client limited the better of the two: the truth is further from 1.
    pub(crate) is_bound: bool,
}

/// Compares a row with the baseline's two rows by every metric.
///
/// The divisor is the geometric mean of both turns of the baseline: two
/// figures are less noise than one. The baseline's ratio to itself does not
/// enter: that is a statement about the machine.
pub(crate) fn differences(results: &Results, row: &Row) -> Vec<Difference> {
    let first = results.row(&row.load, &results.baseline);
    let baseline = first.into_iter().chain(results.row_again(&row.load));
    let baseline: Vec<_> = baseline.collect();
    judge_all(row, &baseline, |of| {
        Ratio::paired(&pairs(row, &baseline, of), USUAL)
    })
}

fn judge_all(
    row: &Row,
    baseline: &[&Row],
    ratio: impl Fn(fn(&Round) -> f64) -> Option<Ratio>,
) -> Vec<Difference> {
    let judge = |compared: &ComparedMetric| {
        let ratio = ratio(compared.metric.of)?;
        let figure = |rows: &[&Row]| {
            let alive = rows.iter().flat_map(|row| row.alive());
            median(alive.map(compared.metric.of)).unwrap_or(0.0)
        };
        let difference = (figure(&[row]) - figure(baseline)).abs();
        let is_rps = compared.key == "rps";
        let row_is_better = (ratio.value > 1.0) == is_rps;
        let better = if row_is_better { &[row][..] } else { baseline };
        // No failure flatters.
        let flattered = better.iter().any(|row| compared.is_flattered(row));
        let is_real = ratio.excludes_one(compared.min_ratio)
            && difference >= compared.min_difference;
        Some(Difference {
            key: compared.key,
            name: compared.name,
            ratio,
            is_significant: is_real && !flattered,
            is_flattered: is_real && flattered,
            // A reply waits for a busy client, too.
            is_bound: (is_rps || compared.key == "p99")
                && better.iter().any(|row| client_was_busy(row)),
        })
    };
    COMPARED.iter().filter_map(judge).collect()
}

/// The figures of the rounds in which both have answered something, the second
/// of each pair being that of `baseline`.
pub(crate) fn pairs(
    row: &Row,
    baseline: &[&Row],
    of: fn(&Round) -> f64,
) -> Vec<(f64, f64)> {
    let pair = |one: &Round| {
        let turns = baseline.iter().flat_map(|row| row.alive());
        let turns = turns.filter(|two| two.round == one.round);
        let logarithms: Vec<_> = turns.map(|two| of(two).ln()).collect();
        let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
        (!logarithms.is_empty()).then(|| (of(one), mean.exp()))
    };
    row.alive().filter_map(pair).collect()
}

impl ComparedMetric {
    /// Whether the figure may look better than the server is: of what it did
    /// not answer there is no figure, or only a lower bound.
    fn is_flattered(&self, row: &Row) -> bool {
        let mut bounds = row.rounds.iter().filter_map(self.metric.bound);
        row.is_unreliable() || bounds.next().is_some()
    }
}

/// The baseline against itself under `load`. Here there is a difference only
/// with a confidence of 99 %: one of four would else be off too often.
pub(crate) fn against_itself(results: &Results, load: &str) -> Vec<Difference> {
    let baseline = results.row(load, &results.baseline);
    let (Some(again), Some(baseline)) = (results.row_again(load), baseline)
    else {
        return Vec::new();
    };
    judge_all(again, &[baseline], |of| {
        Ratio::paired(&pairs(again, &[baseline], of), 0.99)
    })
}

pub(crate) fn between_runs(after: &Row, before: &Row) -> Vec<Difference> {
    judge_all(after, &[before], |of| {
        let [after, before] =
            [after, before].map(|row| row.alive().map(of).collect::<Vec<_>>());
        Ratio::unpaired(&after, &before)
    })
}
