//! What the numbers mean.

use std::collections::BTreeMap;

use load_client::Latency;

use crate::analysis::comparison::{
    Difference, against_itself, between_runs, differences, pairs,
};
use crate::analysis::stalls::sentences;
use crate::analysis::statistics::{Ratio, USUAL};
use crate::analysis::validity::{busy_machine, violation};
use crate::results::round::Round;
use crate::results::row::{Load, Results, Row, Setup};

pub(crate) const LOAD: &str = "low";

/// A row with this CPU time a request in its rounds.
pub(crate) fn row(server: &str, again: bool, cpu: &[f64]) -> Row {
    let rounds = cpu.iter().enumerate().map(|(round, &cpu)| Round {
        round,
        succeeded: 9,
        rps: 1.0,
        cpu_per_request: cpu,
        ..Round::default()
    });
    let (load, server) = (LOAD.into(), server.into());
    Row { load, server, again, rounds: rounds.collect(), ..Row::default() }
}

pub(crate) fn results(one: Row, baseline: &[f64], again: &[f64]) -> Results {
    let baseline = row("b", false, baseline);
    let rows = vec![one, baseline, row("b", true, again)];
    Results { baseline: "b".into(), rows, ..Results::default() }
}

pub(crate) fn cpu(differences: &[Difference]) -> Difference {
    *differences.iter().find(|d| d.key == "cpu").expect("CPU time")
}

#[test]
fn a_round_of_late_replies_is_no_better_than_one_without() {
    let mut late = row("a", false, &[1.0, 1.0]);
    assert!(!late.is_unreliable());
    late.rounds[1].rps = 0.0;
    assert!(!late.is_unreliable(), "it may just have missed the end");
    late.rounds[1].latency.p50 = 0.8;
    late.rounds[1].seconds = 0.6;
    assert_eq!(late.silent_rounds(), 1);
    assert!(late.is_unreliable());
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
fn a_server_that_failed_more_than_1_of_100_requests_is_never_called_better() {
    let found = |errors| {
        let mut half = row("a", false, &[5.0, 5.1, 4.9, 5.0]);
        for round in &mut half.rounds {
            round.requests = 1_000;
            round.errors = BTreeMap::from([("reset".into(), errors)]);
        }
        let cpus = [10.0, 10.2, 10.1, 9.9];
        let better = results(half, &cpus, &cpus);
        cpu(&differences(&better, &better.rows[0])).is_significant
    };
    assert_eq!([10, 11].map(found), [true, false]);
}

#[test]
fn a_server_whose_cpu_time_is_not_all_known_is_not_called_better_in_that() {
    let found = |cpu_of_a: f64| {
        let mut part = row("a", false, &[1.0, 1.1, 0.9].map(|n| n * cpu_of_a));
        part.rounds[1].cpu_is_bound = true;
        let cpus = [10.0, 10.2, 10.1];
        let results = results(part, &cpus, &cpus);
        cpu(&differences(&results, &results.rows[0])).is_significant
    };
    assert_eq!([2.0, 50.0].map(found), [false, true]);
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

fn paired(rounds: &[(f64, f64)]) -> Ratio {
    Ratio::paired(rounds, USUAL).expect("enough rounds")
}

#[test]
fn a_steady_ratio_has_a_narrow_interval_however_the_rounds_differ() {
    let ratio = paired(&[(1.0, 2.0), (50.0, 100.0), (7.0, 14.0)]);
    assert!((ratio.value - 0.5).abs() < 1e-12, "{ratio:?}");
    assert!(ratio.high - ratio.low < 1e-9, "{ratio:?}");
    assert!(ratio.excludes_one(0.01));
}

#[test]
fn rounds_that_disagree_say_no_difference() {
    let ratio = paired(&[(1.0, 2.0), (2.0, 1.0), (1.0, 1.1)]);
    assert!(!ratio.excludes_one(0.01), "{ratio:?}");
}

#[test]
fn the_interval_is_that_of_the_textbook() {
    // Logarithms 0, 1, 2: mean 1, standard error 1/√3, t(2) = 4.303.
    let e = std::f64::consts::E;
    let ratio = paired(&[(1.0, 1.0), (e, 1.0), (e * e, 1.0)]);
    let margin = 4.303 / 3_f64.sqrt();
    assert!((ratio.value.ln() - 1.0).abs() < 1e-12);
    assert!((ratio.high.ln() - 1.0 - margin).abs() < 1e-3);
}

#[test]
fn one_round_has_no_interval_and_a_figure_of_zero_no_ratio() {
    let paired = |pairs: &[_]| Ratio::paired(pairs, USUAL);
    assert_eq!(paired(&[(1.0, 2.0)]), None);
    assert_eq!(paired(&[(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]), None);
    assert_eq!(Ratio::unpaired(&[1.0], &[1.0, 2.0]), None);
}

#[test]
fn figures_of_two_runs_are_compared_without_pairs() {
    let (before, after) = ([10.0, 11.0, 9.0], [5.0, 5.5, 4.5]);
    let ratio = Ratio::unpaired(&after, &before).expect("three rounds");
    assert!((ratio.value - 0.5).abs() < 1e-12 && ratio.excludes_one(0.01));
    let same = Ratio::unpaired(&before, &before).expect("three rounds");
    assert!(!same.excludes_one(0.0));
}

fn results_of(round: Round) -> Results {
    let row = Row {
        load: "burst".into(),
        server: "c".into(),
        rounds: vec![round],
        ..Row::default()
    };
    Results { rows: vec![row], ..Results::default() }
}

#[test]
fn whole_seconds_are_named_for_what_they_are() {
    let kernel = BTreeMap::from([("ListenOverflows".into(), 9)]);
    let figures = Round {
        requests: 1_000,
        retransmit_counts: BTreeMap::from([(1, 7), (2, 1)]),
        kernel,
        ..Round::default()
    };
    let found = sentences(&results_of(figures.clone()));
    let [sentence] = &found[..] else { unreachable!("{found:?}") };
    assert!(sentence.starts_with(
        "burst, c: 8 of 1000 replies took whole seconds (7 of 1 s, 1 of 2 \
         s): the accept queue was full 9 times"
    ));
    let kernel = BTreeMap::new();
    let found = sentences(&results_of(Round { kernel, ..figures }));
    assert!(found[0].contains("the server took so long"), "{found:?}");
}

#[test]
fn forty_milliseconds_are_a_delayed_acknowledgement() {
    let kernel = BTreeMap::from([("DelayedACKs".into(), 90)]);
    let figures = Round {
        requests: 100,
        delayed_ack_count: 90,
        kernel,
        ..Round::default()
    };
    let found = sentences(&results_of(figures));
    assert!(found[0].contains("90 of 100 replies took 40 ms"), "{found:?}");
    let kernel = BTreeMap::from([("DelayedACKs".into(), 1)]);
    let noise = Round {
        requests: 100,
        delayed_ack_count: 90,
        kernel,
        ..Round::default()
    };
    assert!(sentences(&results_of(noise)).is_empty());
    assert!(sentences(&results_of(Round::default())).is_empty());
}

#[test]
fn a_row_that_breaks_the_law_is_objected_to() {
    let mut round = Round {
        rps: 9_800.0,
        expected_rps: Some(10_000.0),
        latency: Latency { max: 0.02, ..Latency::default() },
        seconds: 1.0,
        succeeded: 9_800,
        ..Round::default()
    };
    assert_eq!(violation(&round, 100), None);
    round.rps = 1_000.0;
    let found = violation(&round, 100).expect("a violation");
    assert!(found.contains("1000 RPS, but 100 users"), "{found}");
    round.latency.max = 2.0;
    let found = violation(&round, 100).expect("a violation");
    assert!(found.contains("--duration"), "{found}");
    round.expected_rps = None;
    assert_eq!(violation(&round, 100), None);
}

#[test]
fn a_machine_that_does_something_else_is_named() {
    let with = |other_load| {
        busy_machine(&Setup { other_load, processors: 2, ..Setup::default() })
    };
    assert_eq!(with(0.04), None);
    let text = with(0.8).expect("busy");
    assert!(text.contains("others used 0.8 of its 2 processors"), "{text}");
}

#[test]
fn a_server_that_grows_in_a_long_round_is_named() {
    let round = Round {
        seconds: 1_800.0,
        succeeded: 1,
        memory_early: 1_024.0,
        memory_late: 6_144.0,
        ..Round::default()
    };
    let mut results = results_of(round);
    assert!(sentences(&results).is_empty());
    let (name, paced) = ("burst".into(), true);
    results.loads.push(Load { name, paced, ..Load::default() });
    let found = sentences(&results);
    assert!(found[0].contains("5 KiB more memory at the end"), "{found:?}");
}
