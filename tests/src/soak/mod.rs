//! Hours of good and bad clients, and whether anything is left of them.
//!
//! A server that loses a few bytes with every reset passes all the other tests.
//! So here the load goes on, in rounds: for some seconds good clients and all
//! kinds of bad ones are there at the same time; then all leave, and what the
//! server still holds is noted. Over many rounds that must not grow.
//!
//! | file | its one idea |
//! |---|---|
//! | `visitors.rs` | what each kind of client does, the good and the bad |
//! | `round.rs` | all of them at the same time, for some seconds |
//! | `account.rs` | what the server holds between the rounds, and the trend |

mod account;
mod round;
mod visitors;

use std::time::{Duration, Instant};

pub use account::Account;
pub use round::Tally;

use crate::{Failure, Launch, Server};

/// How long a round lasts.
const ROUND: Duration = Duration::from_secs(10);
/// How long to wait for anything that the server should do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts the load on the server that `launch` starts, for `time`, and calls
/// `noted` after each round.
///
/// # Errors
/// The server does not start, or ends.
pub fn soak(
    launch: &Launch,
    time: Duration,
    mut noted: impl FnMut(&Account),
) -> Result<Account, Failure> {
    let server = launch.start(PATIENCE)?;
    let mut faithful = server.connect()?;
    let mut account = Account::new(&server, &mut faithful)?;
    let start = Instant::now();
    while start.elapsed() < time {
        let left = time.saturating_sub(start.elapsed());
        let tally = round::round(&server, ROUND.min(left));
        account.add(tally, &mut faithful);
        account.note(&server)?;
        noted(&account);
    }
    ends_in_order(&server)?;
    Ok(account)
}

fn ends_in_order(server: &Server) -> Result<(), Failure> {
    let process = server.process()?;
    process.signal(crate::Signal::SIGTERM)?;
    let status = process.wait(PATIENCE)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new("the server does not end in order")
        .came(status.to_string()))
}
