//! A drain, as a client sees it.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use harness::{CaseResult, Signal, TIMEOUT, server_of_this_step, steps};

/// The server then waits for the client's FIN, up to a second. A machine that
/// is busy may let us see that late.
const BETWEEN: Duration = Duration::from_millis(200);
const TRIES: usize = 5;

/// How long before the server's end a client is sent its FIN that does not
/// answer it. `man 2 shutdown`.
fn from_the_fin_to_the_end() -> Result<Duration, harness::CaseError> {
    let launch = steps::launch(server_of_this_step!().1).args(&["--quiet"]);
    let server = launch.start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    server.process()?.signal(Signal::SIGTERM)?;
    client.expect_end()?;
    let fin = Instant::now();
    server.process()?.has_ended_in_order()?;
    Ok(fin.elapsed())
}

#[test]
fn the_fin_comes_before_the_server_ends() -> CaseResult {
    for _ in 0..TRIES {
        if from_the_fin_to_the_end()? >= BETWEEN {
            return Ok(());
        }
    }
    panic!("the end of the server was the client's FIN");
}
