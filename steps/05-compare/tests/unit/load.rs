//! When requests are due, and how many that makes.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::load::pacing::Pacing;
use crate::load::scenario::SCENARIOS;

const SECOND: Duration = Duration::from_secs(1);
const THINKING: Pacing = Pacing::ThinkTime(Duration::from_millis(100), SECOND);

#[test]
fn a_fixed_schedule_does_not_wait_for_the_server() {
    let due = Instant::now();
    let (late, random) = (due + 3 * SECOND, &mut Rng::with_seed(7));
    let next = Pacing::ConstantRate(SECOND).next(due, late, random);
    assert_eq!(next, Some(due + SECOND));
}

#[test]
fn a_thinking_user_waits_for_the_reply_and_then_thinks() {
    let (due, random) = (Instant::now(), &mut Rng::with_seed(7));
    let now = due + SECOND;
    for _ in 0..1_000 {
        let next = THINKING.next(due, now, random).expect("never stops");
        assert!((now + SECOND / 10..=now + SECOND).contains(&next));
    }
}

#[test]
fn users_on_a_schedule_start_evenly_spread() {
    let random = &mut Rng::with_seed(7);
    let mut first = |n| Pacing::ConstantRate(SECOND).first(n, 4, random);
    assert_eq!([first(0), first(1)], [Duration::ZERO, SECOND / 4]);
}

#[test]
fn thinking_users_arrive_at_their_usual_rate_from_the_start() {
    // Uniform from 0.1 to 1 s: 1000 / 0.55 arrivals in the first second,
    // and of the first ones 10 % of that in its first tenth.
    let random = &mut Rng::with_seed(7);
    let early = (0..10_000)
        .filter(|_| THINKING.first(0, 1, random) < SECOND / 10)
        .count();
    assert!((1_700..1_940).contains(&early), "{early}");
}

fn rps(name: &str, latency: f64) -> Option<f64> {
    let found = SCENARIOS.into_iter().find(|s| s.name == name);
    found.expect("a scenario").expected_rps(latency)
}

#[test]
fn the_rates_are_those_that_the_article_names() {
    for (name, rate) in [("low", 10.0), ("medium", 100.0), ("high", 1e3)] {
        let rps = rps(name, 0.0).expect("paced");
        assert!((rps - rate).abs() < 1e-9, "{name}: {rps}");
    }
}

#[test]
fn a_closed_loop_is_as_fast_as_its_replies() {
    let closed = |name, latency| rps(name, latency).expect("closed");
    assert!((closed("keep-alive-100", 0.01) - 10_000.0).abs() < 1e-6);
    assert!((closed("pipelined-1", 0.001) - 16_000.0).abs() < 1e-6);
    assert_eq!(rps("burst", 0.01), None);
}
