//! How servers differ, and whether they do.

use crate::figures::Figures;
use crate::measures::{CPU_PER_REQUEST, MEMORY, Measure, P99, RPS};
use crate::results::{Results, Row};
use crate::statistics::Ratio;

/// A measure by which servers are compared.
#[derive(Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) measure: Measure,
    /// What it is called.
    pub(crate) name: &'static str,
    /// A sentence with it.
    pub(crate) sentence: &'static str,
}

pub(crate) const JUDGED: [Judged; 4] = [
    Judged {
        measure: CPU_PER_REQUEST,
        name: "CPU time a request",
        sentence: "{server} used {times} the CPU time of {other} per request",
    },
    Judged {
        measure: RPS,
        name: "RPS",
        sentence: "{server} answered {times} the requests of {other} a second",
    },
    Judged {
        measure: P99,
        name: "p99 latency",
        sentence: "{server} had {times} the p99 latency of {other}",
    },
    Judged {
        measure: MEMORY,
        name: "peak memory",
        sentence: "{server} used {times} the memory of {other} at its peak",
    },
];

/// Less than this, as a part of the whole, is no difference, however certain:
/// another build of the same source may differ by as much.
const SMALLEST: f64 = 0.02;

/// One measure of one server against that of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The name of what is compared.
    pub(crate) name: &'static str,
    pub(crate) ratio: Ratio,
    /// Whether it is more than noise.
    pub(crate) is_real: bool,
}

/// Compares the rows of one load by every measure. Where `noise`, the ratio of
/// a server with itself, reaches as far, there is no difference.
// ANCHOR: differences
pub(crate) fn differences(
    row: &Row,
    baseline: &Row,
    noise: Option<&Row>,
) -> Vec<Difference> {
    let difference = |&Judged { measure, name, .. }: &Judged| {
        let ratio = Ratio::paired(&pairs(row, baseline, measure.of))?;
        let of_noise = noise
            .and_then(|again| {
                Ratio::paired(&pairs(again, baseline, measure.of))
            })
            .filter(|of_noise| of_noise.overlaps(&ratio));
        let is_real = ratio.excludes_one(SMALLEST) && of_noise.is_none();
        Some(Difference { name, ratio, is_real })
    };
    JUDGED.iter().filter_map(difference).collect()
}
// ANCHOR_END: differences

/// The figures of the rounds in which both were measured.
fn pairs(a: &Row, b: &Row, of: fn(&Figures) -> f64) -> Vec<(f64, f64)> {
    let partner =
        |one: &Figures| b.rounds.iter().find(|two| two.round == one.round);
    a.rounds
        .iter()
        .filter_map(|one| Some((of(one), of(partner(one)?))))
        .collect()
}

/// The baseline against itself under `load`.
pub(crate) fn against_itself(results: &Results, load: &str) -> Vec<Difference> {
    let baseline = results.row(load, &results.baseline);
    match (results.row_again(load), baseline) {
        (Some(again), Some(baseline)) => differences(again, baseline, None),
        _ => Vec::new(),
    }
}

/// A row of one run against that of another run.
pub(crate) fn between_runs(after: &Row, before: &Row) -> Vec<Difference> {
    let difference = |&Judged { measure, name, .. }: &Judged| {
        let all =
            |row: &Row| row.rounds.iter().map(measure.of).collect::<Vec<_>>();
        let ratio = Ratio::unpaired(&all(after), &all(before))?;
        let is_real = ratio.excludes_one(SMALLEST);
        Some(Difference { name, ratio, is_real })
    };
    JUDGED.iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with this CPU time a request in its rounds.
    fn row(cpu: &[f64]) -> Row {
        let figures = cpu.iter().enumerate().map(|(round, &cpu)| Figures {
            round,
            cpu_per_request: cpu,
            ..Figures::default()
        });
        Row { rounds: figures.collect(), ..Row::default() }
    }

    fn cpu(differences: &[Difference]) -> Difference {
        let name = JUDGED[0].name;
        *differences.iter().find(|d| d.name == name).expect("CPU time")
    }

    #[test]
    fn half_the_cpu_in_every_round_is_a_difference() {
        let (half, whole) = (row(&[5.0, 6.1, 4.9]), row(&[10.0, 12.0, 10.0]));
        let again = row(&[10.1, 11.9, 9.9]);
        assert!(cpu(&differences(&half, &whole, Some(&again))).is_real);
        assert!(!cpu(&differences(&again, &whole, None)).is_real);
    }

    #[test]
    fn what_a_server_differs_from_itself_is_no_difference() {
        let (one, other) = (row(&[8.0, 8.1, 7.9]), row(&[10.0, 10.0, 10.0]));
        let again = row(&[7.0, 9.0, 8.2]);
        assert!(cpu(&differences(&one, &other, None)).is_real);
        assert!(!cpu(&differences(&one, &other, Some(&again))).is_real);
    }

    #[test]
    fn only_rounds_that_both_have_are_compared() {
        let mut late = row(&[1.0, 1.0, 1.0]);
        late.rounds.remove(0);
        let pairs = pairs(&late, &row(&[4.0, 5.0, 6.0]), |f| f.cpu_per_request);
        assert_eq!(pairs, [(1.0, 5.0), (1.0, 6.0)]);
    }
}
