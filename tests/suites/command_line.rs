//! The command line of the step's server: what it takes, what it refuses, and
//! how it ends. What it does with its clients is for the conformance suite.

use std::error::Error;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;

use assert_cmd::Command;
use harness::{
    CaseResult, Launch, Signal, TIMEOUT, in_ci, server_of_this_step,
    steps::{self, can_run},
    strace_unavailable,
};
use predicates::prelude::{PredicateBooleanExt, predicate};
use predicates::str::{contains, is_empty, starts_with};

fn name() -> &'static str {
    server_of_this_step!().0
}

/// The server's own program, to run to its end.
fn run(args: &[&str]) -> Command {
    let mut command = Command::new(server_of_this_step!().1);
    command.args(args).timeout(TIMEOUT);
    for variable in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(variable);
    }
    command
}

/// The server's own program, to serve.
fn launch() -> Launch {
    steps::launch(server_of_this_step!().1)
}

// What is refused, and how.

/// `option=value`, since a negative number of its own would be an option.
fn is_refused(option: &str, value: &str) {
    assert_refused(&[&format!("{option}={value}")], option);
}

fn assert_refused(args: &[&str], named: &str) {
    run(args)
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(starts_with("error: ").and(contains(named)));
}

#[test]
fn refuses_what_is_not_a_port() {
    for port in ["65536", "-1", "ping", "", "8888 ", "1.5"] {
        is_refused("--port", port);
    }
    assert_refused(&["--port"], "--port");
    assert_refused(&["--port", "-1"], "-1");
}

#[test]
fn refuses_what_is_not_an_address() {
    for host in ["nowhere", "999.1.1.1", "127.0.0.1:80", "", "[::1]"] {
        is_refused("--host", host);
    }
}

#[test]
fn refuses_other_numbers_that_make_no_sense() {
    for backlog in ["-1", "five", "99999999999999999999"] {
        is_refused("--backlog", backlog);
    }
    for limit in ["0", "-1", "many"] {
        is_refused("--max-connections", limit);
    }
    for seconds in ["0", "-1", "nan", "inf", "1e300", "soon", "1e-30"] {
        is_refused("--idle-timeout", seconds);
    }
    is_refused("--trigger", "both");
}

#[test]
fn refuses_what_it_does_not_know() {
    assert_refused(&["--no-such-option"], "--no-such-option");
    assert_refused(&["stray"], "stray");
}

#[test]
fn tells_its_options_and_its_version() {
    let mut options = vec!["--host", "--port", "--backlog", "--quiet"];
    if name() != "01-blocking" {
        options.extend(["--max-connections", "--idle-timeout"]);
    }
    if name() == "04-epoll" {
        options.push("--trigger");
    }
    let help = run(&["--help"]).assert().success().stderr(is_empty());
    options.into_iter().fold(help, |help, name| help.stdout(contains(name)));
    run(&["--version"]).assert().success().stdout(contains("0.1.0"));
}

// What fails at run time, and what to do about it.

#[test]
fn says_what_to_do_when_the_port_is_in_use() -> Result<(), Box<dyn Error>> {
    if !can_run(name()) {
        return Ok(());
    }
    let owner = TcpListener::bind("127.0.0.1:0")?;
    let port = owner.local_addr()?.port().to_string();
    let reason = TcpListener::bind(owner.local_addr()?)
        .expect_err("two listeners on one port")
        .to_string();
    let one_line = || predicate::function(|s: &str| s.lines().count() == 1);
    run(&["--port", &port])
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(starts_with(format!("[!] bind failed: {reason}")))
        .stderr(contains("--port").and(one_line()));
    run(&["--port", &port])
        .env("LANG", "ja_JP.UTF-8")
        .assert()
        .code(1)
        .stderr(starts_with(format!("[!] バインドに失敗: {reason}")))
        .stderr(contains("--port").and(one_line()));
    Ok(())
}

#[test]
fn says_what_to_do_when_the_address_is_not_ours() {
    if !can_run(name()) {
        return;
    }
    // From a block that is kept for documentation: no machine's. RFC 5737.
    run(&["--host", "192.0.2.1", "--port", "0"])
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(starts_with("[!] bind failed: ").and(contains("--host")));
}

// How it ends.

#[test]
fn ends_within_two_seconds_however_busy() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
        let sender = server.connect()?.pour(b"ping\n".repeat(1_000))?;
        server.process()?.ends_in_order(signal)?;
        drop(sender);
    }
    Ok(())
}

#[test]
fn ends_at_once_on_the_second_signal() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
    // A client that never reads: the server has more to do than it has time.
    let mut client = server.connect()?;
    client.fill(&[&[b'z'; 999], &b"\n"[..]].concat(), 64 << 20)?;
    let process = server.process()?;
    // Two of a kind could become one while the first is pending; and SIGINT as
    // the second may be ignored, which a shell's `&` in a script hands down.
    process.signal(Signal::SIGINT)?;
    process.signal(Signal::SIGTERM)?;
    let status = process.wait_for_shutdown()?;
    let number = status.code().map_or(status.signal(), |code| Some(code - 128));
    assert!(matches!(number, Some(2 | 15)), "{status}");
    drop(client);
    Ok(())
}

#[test]
fn ends_on_a_signal_though_accept_fails_each_time() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    if let Some(reason) = strace_unavailable() {
        assert!(!in_ci(), "{reason}");
        println!("skipped: {reason}");
        return Ok(());
    }
    for error in ["ECONNABORTED", "EPERM", "EMFILE"] {
        let fault = format!("inject=accept,accept4:error={error}");
        // -D: the process that we start is the server.
        let server = Launch::program("strace", &["-D", "-f", "-o/dev/null"])
            .args(&["-e", "trace=accept,accept4", "-e", &fault])
            .args(&[server_of_this_step!().1, "--quiet", "--port", "{port}"])
            .start(TIMEOUT)?;
        let waiting = server.connect()?;
        let ended = server.process()?.ends_in_order(Signal::SIGTERM);
        ended.map_err(|failure| failure.with("accept", error))?;
        drop(waiting);
    }
    Ok(())
}
