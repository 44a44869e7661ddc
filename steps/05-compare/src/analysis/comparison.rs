//! How servers differ, and whether they do.

use serde::Serialize;

pub(crate) use super::compared::{COMPARED, ComparedMetric};
use super::statistics::{Confidence, Ratio};
use super::validity::client_was_busy;
use crate::results::metric::median;
use crate::results::round::RoundStats;
use crate::results::row::{Results, Row};

/// One metric of one server against that of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// The key and the name of what is compared.
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ratio: Ratio,
    /// Whether it is more than noise, and large enough to matter.
    pub(crate) is_significant: bool,
    /// The client was what limited the faster of the two: the true ratio is
    /// further from 1.
    pub(crate) is_bound: bool,
}

/// Compares a row with the baseline's two rows by every metric.
///
/// The divisor is the geometric mean of both turns of the baseline: two
/// figures are less noise than one. It counts if the interval of the ratio
/// keeps away from 1. The baseline's ratio to itself does not enter: that is
/// a statement about the machine. A test below simulates what this rule finds,
/// and how often it is wrong.
// ANCHOR: differences
pub(crate) fn differences(results: &Results, row: &Row) -> Vec<Difference> {
    let baseline = [
        results.row(&row.load, &results.baseline),
        results.row_again(&row.load),
    ];
    let baseline: Vec<_> = baseline.into_iter().flatten().collect();
    let difference = |compared: &'static ComparedMetric| {
        let pairs = pairs(row, &baseline, compared.metric.of);
        let ratio = Ratio::paired(&pairs, Confidence::P95)?;
        Some(compared.judge(ratio, row, &baseline))
    };
    COMPARED.iter().filter_map(difference).collect()
}
// ANCHOR_END: differences

/// The figures of the rounds in which both have answered something, the second
/// of each pair being that of `baseline`.
fn pairs(
    row: &Row,
    baseline: &[&Row],
    of: fn(&RoundStats) -> f64,
) -> Vec<(f64, f64)> {
    let alive = |row: &Row| {
        row.rounds.iter().filter(|r| !r.is_dead()).cloned().collect::<Vec<_>>()
    };
    let partners: Vec<_> = baseline.iter().flat_map(|row| alive(row)).collect();
    let pair = |one: &RoundStats| {
        let turns = partners.iter().filter(|two| two.round == one.round);
        let logarithms: Vec<_> = turns.map(|two| of(two).ln()).collect();
        let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
        (!logarithms.is_empty()).then(|| (of(one), mean.exp()))
    };
    alive(row).iter().filter_map(pair).collect()
}

impl ComparedMetric {
    fn judge(
        &'static self,
        ratio: Ratio,
        row: &Row,
        baseline: &[&Row],
    ) -> Difference {
        let figure = |rows: &[&Row]| {
            let rounds = rows.iter().flat_map(|row| &row.rounds);
            let figures = rounds.filter(|r| !r.is_dead()).map(self.metric.of);
            median(figures).unwrap_or(0.0)
        };
        let difference = (figure(&[row]) - figure(baseline)).abs();
        let row_is_better = (ratio.value > 1.0) == self.higher_is_better;
        let better = if row_is_better { &[row][..] } else { baseline };
        // No failure flatters.
        let flattered = better.iter().any(|row| self.is_flattered(row));
        Difference {
            key: self.key,
            name: self.name,
            ratio,
            is_significant: ratio.excludes_one(self.min_ratio)
                && difference >= self.min_difference
                && !flattered,
            is_bound: self.key == RPS_KEY
                && better.iter().any(|row| client_was_busy(row)),
        }
    }

    /// Whether the figure may look better than the server is: of what it did
    /// not answer there is no figure, or only a lower bound.
    fn is_flattered(&self, row: &Row) -> bool {
        let bounded = row.rounds.iter().any(|r| r.lower_bounds_from.is_some());
        row.dead_rounds() > 0 || self.key == P99_KEY && bounded
    }
}

const RPS_KEY: &str = "rps";
const P99_KEY: &str = "p99";

/// The baseline against itself under `load`. Here there is a difference only
/// with a confidence of 99 %: of the four metrics one would else be off by
/// chance too often.
pub(crate) fn against_itself(results: &Results, load: &str) -> Vec<Difference> {
    let baseline = results.row(load, &results.baseline);
    let (Some(again), Some(baseline)) = (results.row_again(load), baseline)
    else {
        return Vec::new();
    };
    let difference = |compared: &'static ComparedMetric| {
        let pairs = pairs(again, &[baseline], compared.metric.of);
        let ratio = Ratio::paired(&pairs, Confidence::P95)?;
        let sure = Ratio::paired(&pairs, Confidence::P99)?;
        let judged = compared.judge(ratio, again, &[baseline]);
        let is_significant =
            judged.is_significant && sure.excludes_one(compared.min_ratio);
        Some(Difference { is_significant, ..judged })
    };
    COMPARED.iter().filter_map(difference).collect()
}

/// A row of one run against that of another run.
pub(crate) fn between_runs(after: &Row, before: &Row) -> Vec<Difference> {
    let difference = |compared: &'static ComparedMetric| {
        let all = |row: &Row| {
            let alive = row.rounds.iter().filter(|round| !round.is_dead());
            alive.map(compared.metric.of).collect::<Vec<_>>()
        };
        let ratio = Ratio::unpaired(&all(after), &all(before))?;
        Some(compared.judge(ratio, after, &[before]))
    };
    COMPARED.iter().filter_map(difference).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const LOAD: &str = "low";

    /// A row with this CPU time a request in its rounds.
    pub(crate) fn row(server: &str, again: bool, cpu: &[f64]) -> Row {
        let rounds = cpu.iter().enumerate().map(|(round, &cpu)| RoundStats {
            round,
            succeeded: 9,
            cpu_per_request: cpu,
            ..RoundStats::default()
        });
        let (load, server) = (LOAD.into(), server.into());
        Row { load, server, again, rounds: rounds.collect(), ..Row::default() }
    }

    pub(crate) fn results(
        one: Row,
        baseline: &[f64],
        again: &[f64],
    ) -> Results {
        let baseline = row("b", false, baseline);
        let rows = vec![one, baseline, row("b", true, again)];
        Results { baseline: "b".into(), rows, ..Results::default() }
    }

    pub(crate) fn cpu(differences: &[Difference]) -> Difference {
        *differences.iter().find(|d| d.key == "cpu").expect("CPU time")
    }

    #[test]
    fn half_the_cpu_in_every_round_is_a_difference() {
        let half = row("a", false, &[5.0, 6.1, 4.9]);
        let results = results(half, &[10.0, 12.0, 10.0], &[10.1, 11.9, 9.9]);
        assert!(cpu(&differences(&results, &results.rows[0])).is_significant);
        assert!(!cpu(&against_itself(&results, LOAD)).is_significant);
    }

    #[test]
    fn only_rounds_that_both_have_are_compared() {
        let mut late = row("a", false, &[1.0, 1.0, 1.0]);
        late.rounds.remove(0);
        let baseline = row("b", false, &[4.0, 5.0, 6.0]);
        let pairs = pairs(&late, &[&baseline], |r| r.cpu_per_request);
        assert!((pairs[0].1 - 5.0).abs() < 1e-9 && pairs.len() == 2);
    }

    #[test]
    fn a_server_that_failed_in_a_round_is_never_called_better() {
        let mut half = row("a", false, &[5.0, 5.1, 4.9, 5.0]);
        half.rounds[0].succeeded = 0;
        let cpus = [10.0, 10.2, 10.1, 9.9];
        let better = results(half, &cpus, &cpus);
        assert!(!cpu(&differences(&better, &better.rows[0])).is_significant);
        let mut double = row("a", false, &[20.0, 20.1, 19.9, 20.0]);
        double.rounds[0].succeeded = 0;
        let worse = results(double, &cpus, &cpus);
        assert!(cpu(&differences(&worse, &worse.rows[0])).is_significant);
    }

    #[test]
    fn a_difference_too_small_to_matter_is_none() {
        let memory = |kib: f64| {
            let mut row = row("a", false, &[1.0; 5]);
            for (round, stats) in row.rounds.iter_mut().enumerate() {
                stats.memory = (kib + round as f64 / 10.0) * 1_024.0;
            }
            row
        };
        let found = |after, before| {
            let found = between_runs(&memory(after), &memory(before));
            let memory = found.into_iter().find(|d| d.key == "memory");
            memory.expect("memory").is_significant
        };
        assert!(!found(255.0, 240.0));
        assert!(found(1_240.0, 240.0));
    }
}
