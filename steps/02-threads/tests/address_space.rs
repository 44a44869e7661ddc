//! A thread that finds no address space for its signal stack would abort the
//! process: it is refused before it is started. `man 2 getrlimit`, `RLIMIT_AS`.
#![cfg(target_os = "linux")]

use harness::{CaseResult, Launch, TIMEOUT, eventually, server_of_this_step};

#[test]
fn says_that_address_space_runs_short_before_it_has_run_out() -> CaseResult {
    let script = "ulimit -v 49152; exec \"$0\" \"$@\"";
    let path = server_of_this_step!().1;
    let launch = Launch::program("sh", &["-c", script, path]);
    let args = ["--port", "{port}", "--quiet"];
    let server = launch.args(&args).start(TIMEOUT)?;
    let clients = server.connect_many(400)?;
    let stderr = &server.process()?.stderr;
    let text = stderr.wait_for(TIMEOUT, |text| text.ends_with('\n'));
    assert!(text.contains("no thread for a client"), "{text}");
    assert!(text.contains("ulimit -v"), "{text}");
    drop(clients);
    // Once their threads have ended: until then it may be refused, too.
    eventually(TIMEOUT, || server.still_serves())
}

/// Without a limit nothing is refused.
#[test]
fn says_nothing_where_there_is_no_limit() -> CaseResult {
    let launch = Launch::program(server_of_this_step!().1, &["--quiet"]);
    let server = launch.args(&["--port", "{port}"]).start(TIMEOUT)?;
    let mut clients = server.connect_many(400)?;
    for client in &mut clients {
        client.ask(b"ping\n", b"pong\n")?;
    }
    assert_eq!(server.process()?.stderr.text(), "");
    Ok(())
}
