//! Hours of good and bad clients, and whether anything is left of them.
//!
//! A server that loses a few bytes with every reset passes all the other tests.
//! So here the load goes on, in rounds: for some seconds good clients and all
//! kinds of bad ones are there at the same time; then all leave, and what the
//! server still holds is noted. Over many rounds that must not grow.
//!
//! | file | its one idea |
//! |---|---|
//! | `workloads.rs` | what each kind of client does, the good and the bad |
//! | `round.rs` | all of them at the same time, for some seconds |
//! | `leak_check.rs` | what the server holds between the rounds, and the trend |

mod leak_check;
mod round;
mod workloads;

use std::time::{Duration, Instant};

pub use leak_check::LeakCheck;
pub use round::Tally;

use harness::{CaseError, Launch, Signal, TIMEOUT};

/// How long a round lasts.
const ROUND: Duration = Duration::from_secs(10);

/// Puts the load on the server that `launch` starts, for `time`, and calls
/// `noted` after each round.
///
/// # Errors
/// The server does not start, or ends.
pub fn soak(
    launch: &Launch,
    time: Duration,
    mut noted: impl FnMut(&LeakCheck),
) -> Result<LeakCheck, CaseError> {
    let server = launch.start(TIMEOUT)?;
    let mut faithful = server.connect()?;
    let mut leak_check = LeakCheck::new(&server, &mut faithful)?;
    let start = Instant::now();
    while start.elapsed() < time {
        let left = time.saturating_sub(start.elapsed());
        let tally = round::round(&server, ROUND.min(left));
        leak_check.add(tally, &mut faithful);
        leak_check.note(&server)?;
        noted(&leak_check);
    }
    server.process()?.ends_in_order(Signal::SIGTERM)?;
    Ok(leak_check)
}
