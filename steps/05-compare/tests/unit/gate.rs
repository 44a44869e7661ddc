//! Whether two runs can be compared, and what a gate finds.

use super::analysis::row;
use crate::analysis::gate::{Condition, check};
use crate::results::row::{Load, Results, Row};

#[test]
fn a_condition_is_a_metric_a_sign_and_a_ratio() {
    assert!(Condition::parse("cpu>1.05").is_ok());
    assert!(Condition::parse("rps < 0.9").is_ok());
    for wrong in ["", "cpu", "cpu>", "speed>1", "cpu>nan", "cpu=1"] {
        assert!(Condition::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn runs_of_different_loads_are_not_compared() {
    let mut one = Results::default();
    one.loads.push(Load::default());
    let mut other = Results { loads: one.loads.clone(), ..Results::default() };
    assert_eq!(check(&one, &other, true), Ok(String::new()));
    other.setup.kernel = "7".into();
    assert!(check(&one, &other, false).is_ok_and(|note| !note.is_empty()));
    assert!(check(&one, &other, true).is_err());
    other.loads[0].duration = 9.0;
    assert!(check(&one, &other, false).is_err());
}

/// What `cpu>1.05` finds where these are the rows of the two runs.
fn found(before: &[Row], after: &[Row]) -> Vec<String> {
    let [before, after] = [before, after]
        .map(|rows| Results { rows: rows.into(), ..Results::default() });
    let condition = Condition::parse("cpu>1.05").expect("a condition");
    condition.found(&before, &after)
}

#[test]
fn a_gate_finds_what_could_not_be_compared() {
    let (few, many) = (row("a", false, &[1.0]), row("a", false, &[1.0, 1.1]));
    let skipped = Row { skipped: Some("no".into()), ..row("a", false, &[]) };
    let [many, few, skipped] = [many, few, skipped].map(|row| [row]);
    assert!(found(&many, &many).is_empty());
    for (one, other) in [(&few, &many), (&many, &few), (&many, &skipped)] {
        let found = found(one, other);
        assert!(found[0].starts_with("low, a: cpu cannot be"), "{found:?}");
    }
    assert_eq!(found(&many, &[]), ["low, a: not in the second run"]);
    assert_eq!(found(&[], &many), ["low, a: not in the first run"]);
}

#[test]
fn a_gate_lets_no_failure_pass() {
    let good = row("a", false, &[1.0, 1.1]);
    let with_errors = |count: u64, cpu: f64| {
        let mut row = row("a", false, &[cpu, cpu * 1.1]);
        for round in &mut row.rounds {
            round.requests = 100;
            round.errors = [("reset".into(), count)].into();
            round.lower_bounds_from = Some(0.0);
        }
        row
    };
    let found_in = |before: &Row, after: &Row| {
        let found =
            found(std::slice::from_ref(before), std::slice::from_ref(after));
        found.join("; ")
    };
    assert_eq!(
        found_in(&good, &with_errors(9, 1.0)),
        "low, a: 18 errors in 200 requests"
    );
    // What failed before makes the first run look better than it was.
    let failed = with_errors(9, 1.0);
    assert_eq!(
        found_in(&failed, &with_errors(9, 9.0)),
        "low, a: cpu cannot be compared: the better run has failures"
    );
    assert_eq!(found_in(&failed, &with_errors(9, 1.0)), "");
    let client_failed = Row {
        skipped: Some("the client: no ports".into()),
        client_failed: true,
        ..row("a", false, &[])
    };
    let found = found_in(&client_failed, &client_failed);
    assert!(found.contains("cpu cannot be compared"), "{found}");
}

#[test]
fn a_gate_refuses_an_interrupted_run() {
    let whole =
        || Results { loads: vec![Load::default()], ..Results::default() };
    let cut = Results { interrupted: true, ..whole() };
    assert!(check(&whole(), &cut, false).is_ok());
    for (one, other) in [(&whole(), &cut), (&cut, &whole())] {
        let refused = check(one, other, true).expect_err("interrupted");
        assert!(refused.ends_with(" was interrupted"), "{refused}");
    }
}
