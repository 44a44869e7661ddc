//! Little's law: the check that throughput and latency fit together.
//!
//! Of N users, each waits R for a reply and thinks for Z before its next
//! request. So they send X = N / (R + Z) times a second, whatever the server
//! is like. A row that breaks that was not measured in the way that it claims.

use crate::results::round::RoundStats;

/// A row may be so far off, as a part of what the law says.
const TOLERANCE: f64 = 0.05;

/// What is wrong with a round of `users`, if it breaks the law.
// ANCHOR: violation
pub(crate) fn violation(round: &RoundStats, users: usize) -> Option<String> {
    let expected = round.expected_rps.filter(|_| !round.is_dead())?;
    if round.max > round.seconds {
        return Some(String::from(
            "some replies took longer than it was measured: a longer \
             --duration says more",
        ));
    }
    // Think times are drawn by chance: with few requests that shows.
    let chance = 4.0 / (expected * round.seconds).sqrt();
    // What was in flight at the begin was due before it.
    let edge = round.p99 / round.seconds;
    let off = (round.rps / expected - 1.0).abs();
    (off > TOLERANCE + chance + edge).then(|| {
        format!(
            "breaks Little's law: {:.0} RPS, but {users} users with this \
             latency make {expected:.0}",
            round.rps
        )
    })
}
// ANCHOR_END: violation

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_breaks_the_law_is_objected_to() {
        let mut round = RoundStats {
            rps: 9_800.0,
            expected_rps: Some(10_000.0),
            max: 0.02,
            seconds: 1.0,
            succeeded: 9_800,
            ..RoundStats::default()
        };
        assert_eq!(violation(&round, 100), None);
        round.rps = 1_000.0;
        let found = violation(&round, 100).expect("a violation");
        assert!(found.contains("1000 RPS, but 100 users"), "{found}");
        round.max = 2.0;
        let found = violation(&round, 100).expect("a violation");
        assert!(found.contains("--duration"), "{found}");
        round.expected_rps = None;
        assert_eq!(violation(&round, 100), None);
    }
}
