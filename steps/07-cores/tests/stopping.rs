//! What becomes of the clients in the accept queue when the server stops.
#![cfg(target_os = "linux")]

use harness::steps::targets;
use harness::{CaseError, CaseResult, SHUTDOWN_TIMEOUT, Signal, TIMEOUT};

const CLIENTS: usize = 50;
const PATH: &str = env!("CARGO_BIN_EXE_07-cores");

#[test]
fn handover_serves_all_who_had_connected() -> CaseResult {
    let handover = targets("07").find(|target| target.mode == "handover");
    let Some(target) = handover else { return Err(CaseError::new("no mode")) };
    let server = target.launch(PATH).start(TIMEOUT)?;
    server.still_serves()?;
    let process = server.process()?;
    process.stop()?;
    // While it stands still, the kernel takes them.
    let mut clients = server.connect_many(CLIENTS)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
    }
    process.signal(Signal::SIGTERM)?;
    process.signal(Signal::SIGCONT)?;
    for client in &mut clients {
        client.expect(b"pong\n")?;
    }
    drop(clients);
    assert!(process.wait(SHUTDOWN_TIMEOUT)?.success());
    assert!(!process.stdout.text().contains("left in"));
    Ok(())
}

#[test]
fn says_how_many_clients_it_has_not_accepted() -> CaseResult {
    for target in targets("07") {
        let launch = target.launch(PATH).args(&["--max-connections", "1"]);
        let server = launch.start(TIMEOUT)?;
        let mut first = server.connect()?;
        first.ask(b"ping\n", b"pong\n")?;
        let waiting = server.connect_many(CLIENTS)?;
        let process = server.process()?;
        process.signal(Signal::SIGTERM)?;
        first.expect_end()?;
        drop((first, waiting));
        assert!(process.wait(SHUTDOWN_TIMEOUT)?.success());
        let text = process.stdout.wait_for(TIMEOUT, |_| false);
        let told = format!("clients left in the accept queue: {CLIENTS}");
        assert!(text.contains(&told), "{}: {text}", target.mode);
    }
    Ok(())
}
