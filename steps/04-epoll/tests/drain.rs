//! A drain, as a client sees it.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use harness::{CaseResult, Signal, TIMEOUT, server_of_this_step, steps};

/// The server waits for the client's FIN at most so long. `man 2 shutdown`.
const DRAIN: Duration = Duration::from_secs(1);

#[test]
fn the_fin_comes_before_the_server_ends() -> CaseResult {
    let launch = steps::launch(server_of_this_step!().1).args(&["--quiet"]);
    let server = launch.start(TIMEOUT)?;
    let process = server.process()?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let start = Instant::now();
    process.signal(Signal::SIGTERM)?;
    client.expect_end()?;
    let ended = process.ended()?;
    // Seen later, it may well have ended.
    if start.elapsed() < DRAIN {
        assert_eq!(ended, None, "its end was the client's FIN");
    }
    process.has_ended_in_order()
}
