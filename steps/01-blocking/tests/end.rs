//! A shutdown waits no longer than it has to.

use std::time::{Duration, Instant};

use harness::{
    CaseError, CaseResult, Signal, TIMEOUT, server_of_this_step, steps,
};

/// Less than the server waits for replies that are not acknowledged.
const ENOUGH: Duration = Duration::from_millis(400);
/// A busy machine may let us see the end late.
const TRIES: usize = 5;

/// How long the end takes with a client that has all its replies.
fn time_of_the_end() -> Result<Duration, CaseError> {
    let launch = steps::launch(server_of_this_step!().1).args(&["--quiet"]);
    let server = launch.start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let start = Instant::now();
    server.process()?.ends_in_order(Signal::SIGTERM)?;
    Ok(start.elapsed())
}

#[test]
fn a_client_that_is_silent_holds_up_nothing() -> CaseResult {
    for _ in 0..TRIES {
        if time_of_the_end()? < ENOUGH {
            return Ok(());
        }
    }
    panic!("each time it took {ENOUGH:?} or more");
}
