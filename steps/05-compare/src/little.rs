//! Little's law: the check that throughput and latency fit together.
//!
//! Of N users, each waits R for a reply and thinks for Z before it asks again.
//! So they ask X = N / (R + Z) times a second, whatever the server is like. A
//! table whose rows break that was not measured in the way that it claims.

use crate::figures::Figures;
use crate::scenario::{Pacing, Scenario};

/// A row may be so far off, as a part of what the law says.
const TOLERANCE: f64 = 0.05;

/// The requests a second that the law gives for a mean latency of `latency`
/// seconds; `None` for users who ask only once.
// ANCHOR: little
pub(crate) fn expected_rps(scenario: &Scenario, latency: f64) -> Option<f64> {
    let rate = |user| match scenario.pacing(user) {
        Pacing::Think(from, to) => {
            Some(1.0 / (latency + (from + to).as_secs_f64() / 2.0))
        }
        Pacing::Every(period) => Some(1.0 / latency.max(period.as_secs_f64())),
        Pacing::AtOnce => Some(scenario.in_flight as f64 / latency),
        Pacing::Once => None,
    };
    (0..scenario.users).map(rate).sum()
}
// ANCHOR_END: little

/// What is wrong with `figures`, if they break the law.
pub(crate) fn objection(
    scenario: &Scenario,
    figures: &Figures,
) -> Option<String> {
    let expected = expected_rps(scenario, figures.mean)?;
    if figures.max == 0.0 {
        return Some("in some round no request was answered in time".into());
    }
    if figures.max > figures.seconds {
        return Some(String::from(
            "some replies took longer than it was measured: a longer \
             --duration tells more",
        ));
    }
    // Think times are drawn by chance: with few requests that shows.
    let chance = 4.0 / (expected * figures.seconds).sqrt();
    // What was on the way at the begin was due before it.
    let edge = figures.p99 / figures.seconds;
    let off = (figures.rps / expected - 1.0).abs();
    (off > TOLERANCE + chance + edge).then(|| {
        format!(
            "breaks Little's law: {:.0} RPS, but {} users with this latency \
             make {expected:.0}",
            figures.rps, scenario.users
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    fn scenario(name: &str) -> Scenario {
        let found = SCENARIOS.into_iter().find(|s| s.name == name);
        found.expect("a scenario")
    }

    #[test]
    fn the_rates_are_those_that_the_article_names() {
        for (name, rate) in [("low", 10.0), ("medium", 100.0), ("high", 1e3)] {
            let rps = expected_rps(&scenario(name), 0.0).expect("paced");
            assert!((rps - rate).abs() < 1e-9, "{name}: {rps}");
        }
    }

    #[test]
    fn a_closed_loop_is_as_fast_as_its_replies() {
        let rps = expected_rps(&scenario("keep-alive-100"), 0.01);
        assert!((rps.expect("closed") - 10_000.0).abs() < 1e-6);
        let rps = expected_rps(&scenario("pipelined-1"), 0.001);
        assert!((rps.expect("closed") - 16_000.0).abs() < 1e-6);
        assert_eq!(expected_rps(&scenario("burst"), 0.01), None);
    }

    #[test]
    fn a_row_that_breaks_the_law_is_objected_to() {
        let load = scenario("keep-alive-100");
        let seconds = 1.0;
        let mut figures = Figures {
            rps: 9_800.0,
            mean: 0.01,
            seconds,
            max: 0.02,
            ..Figures::default()
        };
        assert_eq!(objection(&load, &figures), None);
        figures.rps = 5_000.0;
        let said = objection(&load, &figures).expect("an objection");
        assert!(said.contains("5000 RPS") && said.contains("10000"), "{said}");
    }
}
