//! Little's law: the check that throughput and latency fit together.
//!
//! Of N users, each waits R for a reply and thinks for Z before its next
//! request. So they send X = N / (R + Z) times a second, whatever the server
//! is like. A row that breaks that was not measured in the way that it claims.

use crate::results::round::Round;

/// A row may be so far off, as a part of what the law says.
const TOLERANCE: f64 = 0.05;

/// What is wrong with a round of `users`, if it breaks the law.
// ANCHOR: violation
pub(crate) fn violation(round: &Round, users: usize) -> Option<String> {
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
