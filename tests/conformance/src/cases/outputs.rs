//! Process: what it prints must never stop it, and must say what is wrong.

use super::helpers::{echo, times};
use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Server, StdoutReader};

const OWN: &[Requirement] = &[Requirement::OwnProcess];

pub(super) const CASES: &[Case] = &[
    case!(Process, Blocking, serves_without_a_stdout)
        .needs(OWN)
        .reader(StdoutReader::Absent),
    case!(Process, Blocking, serves_when_the_reader_of_its_stdout_has_left)
        .needs(OWN)
        .reader(StdoutReader::Leaves),
    case!(Process, Blocking, serves_while_its_stdout_is_not_read)
        .needs(OWN)
        .reader(StdoutReader::Stalls),
    case!(Process, Blocking, says_that_its_port_is_in_use).needs(OWN),
];

/// Fails: a program that ends with an error when it cannot print. With fd 1
/// closed, the first socket may even become "stdout".
fn serves_without_a_stdout(server: &Server) -> CaseResult {
    much_to_print(server)
}

/// Fails: SIGPIPE from `printf`, a panic from `println!`, be it for an error.
fn serves_when_the_reader_of_its_stdout_has_left(
    server: &Server,
) -> CaseResult {
    much_to_print(server)?;
    let mut rude = server.connect()?;
    rude.ask(b"ping\n", b"pong\n")?;
    rude.reset()?;
    server.still_serves()
}

/// Fails: a line printed per message, by `write`s that wait when the pipe is
/// full, in the thread that should be serving.
fn serves_while_its_stdout_is_not_read(server: &Server) -> CaseResult {
    much_to_print(server)
}

/// More lines than a pipe holds: 64 KiB.
fn much_to_print(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    let line = [&times(100, b"w")[..], b"\n"].concat();
    let reply = echo(&times(100, b"w"));
    for _ in 0..1_000 {
        client.ask(&line, &reply)?;
    }
    Ok(())
}

/// Fails: `bind`'s result ignored, as in the article's epoll server: it runs
/// on and serves no client.
fn says_that_its_port_is_in_use(server: &Server) -> CaseResult {
    let second = server.start_another_here()?;
    let status = second.wait(server.timeout())?;
    let stderr = second.stderr.wait_for(server.timeout(), |_| false);
    if status.success() || stderr.trim().is_empty() {
        return Err(CaseError::new(
            "a second server on the port says nothing of it",
        )
        .expected("an error on stderr, and not status 0")
        .came(format!("{status}, and on stderr: {stderr:?}")));
    }
    Ok(())
}
