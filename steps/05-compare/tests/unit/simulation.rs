//! How good the rule for a verdict is: what it finds, and how often it is wrong.
//!
//! Figures are drawn at random, with a true ratio that we know, and the rule is
//! applied to them thousands of times.

use fastrand::Rng;

use super::analysis::{LOAD, cpu, results, row};
use crate::analysis::comparison::{against_itself, differences};
use crate::results::row::Results;

/// How often each rule says that there is a difference, where every turn
/// has 15 % noise of its own, and all turns of a round share as much.
fn simulate(ratio: f64, trials: u64, is_called: fn(&Results) -> bool) -> f64 {
    let mut random = Rng::with_seed(ratio.to_bits());
    let mut normal = || {
        let uniform = (0..12).map(|_| random.f64());
        uniform.sum::<f64>() - 6.0
    };
    let mut called = 0;
    for _ in 0..trials {
        let mut rounds = [[0.0; 5]; 3];
        for round in 0..5 {
            let shared = 0.15 * normal();
            for turn in &mut rounds {
                turn[round] = (shared + 0.15 * normal()).exp();
            }
        }
        let [one, baseline, again] = rounds;
        let one = row("a", false, &one.map(|cpu| cpu * ratio));
        called += u64::from(is_called(&results(one, &baseline, &again)));
    }
    called as f64 / trials as f64
}

#[test]
fn the_rule_finds_a_difference_of_a_third_and_is_seldom_wrong() {
    let is_called: fn(&Results) -> bool =
        |results| cpu(&differences(results, &results.rows[0])).is_significant;
    let power = simulate(0.67, 4_000, is_called);
    assert!(power > 0.9, "{power}");
    let false_alarms = simulate(1.0, 4_000, is_called);
    assert!(false_alarms < 0.05, "{false_alarms}");
}

#[test]
fn a_server_against_itself_seldom_differs_in_any_of_four_metrics() {
    let one_metric = simulate(1.0, 8_000, |results| {
        cpu(&against_itself(results, LOAD)).is_significant
    });
    let any_of_four = 1.0 - (1.0 - one_metric).powi(4);
    assert!(any_of_four < 0.05, "{any_of_four}");
}
