//! The article's sessions, with the real `nc` and the real `telnet`.
//!
//! Where one of the two is missing, or is of another make, its sessions are
//! shown as ignored, and why; with `CI=true` that is a failure.

use std::process::ExitCode;

use assert_cmd::Command;
use assert_cmd::assert::AssertError;
use harness::{
    CaseError, CaseResult, Server, TIMEOUT, in_ci, server_of_this_step,
    steps::{self, rings_unavailable},
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use predicates::str::diff;
use rexpect::session::PtySession;

/// Ctrl-], as `telnet` reads it.
const ESCAPE: char = ']';

fn main() -> ExitCode {
    let trials = vec![
        trial("nc_gets_pong_for_a_ping_without_a_newline", "nc", nc_ping),
        trial("nc_shows_the_session_of_the_article", "nc", nc_session),
        trial("telnet_shows_the_session_of_the_article", "telnet", telnet),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A session of `tool` with a server of its own.
fn trial(
    name: &str,
    tool: &'static str,
    session: fn(&Server) -> CaseResult,
) -> Trial {
    Trial::ignorable_test(name, move || {
        let (name, path) = server_of_this_step!();
        if let Some(reason) = rings_unavailable(name) {
            return Ok(Completion::ignored_with(reason));
        }
        if let Some(reason) = missing(tool) {
            return if in_ci() {
                Err(Failed::from(format!("{reason}, and CI=true")))
            } else {
                Ok(Completion::ignored_with(reason))
            };
        }
        steps::launch(path)
            .start(TIMEOUT)
            .and_then(|server| session(&server))
            .map(|()| Completion::Completed)
            .map_err(Failed::from)
    })
}

/// Why `tool` cannot be used, if it cannot.
fn missing(tool: &str) -> Option<String> {
    let help = Command::new(tool).arg("-h").timeout(TIMEOUT).output();
    let Ok(help) = help else {
        return Some(format!("needs {tool}, which is not installed"));
    };
    // Only OpenBSD's netcat has `-N`: a FIN at the end of its input.
    let text = String::from_utf8_lossy(&help.stderr).into_owned();
    (tool == "nc" && !text.contains("OpenBSD"))
        .then(|| "needs OpenBSD's nc (netcat-openbsd)".into())
}

/// `printf INPUT | nc -N 127.0.0.1 PORT` prints exactly `output`.
fn nc(server: &Server, input: &str, output: &'static str) -> CaseResult {
    let assert = Command::new("nc")
        .arg("-N")
        .args(host_and_port(server))
        .write_stdin(input)
        .timeout(TIMEOUT)
        .assert();
    let failed = |error: AssertError| CaseError::new(error.to_string());
    assert
        .try_success()
        .map_err(failed)?
        .try_stdout(diff(output))
        .map_err(failed)?;
    Ok(())
}

fn nc_ping(server: &Server) -> CaseResult {
    nc(server, "ping", "pong\n")
}

fn nc_session(server: &Server) -> CaseResult {
    nc(server, "ping\nhello\n", "pong\n受信しました: hello\n")
}

/// `telnet` wants a terminal, and so gets one; what is typed is echoed there.
fn telnet(server: &Server) -> CaseResult {
    let command = format!("telnet {}", host_and_port(server).join(" "));
    let timeout = u64::try_from(TIMEOUT.as_millis()).ok();
    rexpect::spawn(&command, timeout)
        .and_then(|terminal| telnet_session(terminal, server))
        .map_err(CaseError::of("telnet"))?;
    server.still_serves()
}

fn telnet_session(
    mut terminal: PtySession,
    server: &Server,
) -> Result<(), rexpect::error::Error> {
    let address = server.address().ip();
    terminal.exp_string(&format!("Trying {address}..."))?;
    terminal.exp_string(&format!("Connected to {address}."))?;
    terminal.exp_string("Escape character is '^]'.")?;
    terminal.send_line("ping")?;
    terminal.exp_string("pong\r\n")?;
    terminal.send_line("hello")?;
    terminal.exp_string(&as_bytes("受信しました: hello\r\n"))?;
    terminal.send_control(ESCAPE)?;
    terminal.exp_string("telnet>")?;
    terminal.send_line("quit")?;
    terminal.exp_string("Connection closed.")?;
    terminal.exp_eof()?;
    Ok(())
}

/// `rexpect` takes each byte for a character.
fn as_bytes(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

fn host_and_port(server: &Server) -> [String; 2] {
    let address = server.address();
    [address.ip().to_string(), address.port().to_string()]
}
