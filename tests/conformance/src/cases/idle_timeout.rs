//! Process: `--idle-timeout` closes silent clients, and no others.

use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::Signal::SIGCONT;

use super::helpers::{echo, times, waiting_for_a_stopped};
use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Server};

const OPTIONS: &[&str] = &["--idle-timeout", "1"];
/// Longer where a client must be quicker than that.
const LONGER: &[&str] = &["--idle-timeout", "2"];
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

const LIMITED: &[Requirement] =
    &[Requirement::ManyClients, Requirement::Option("--idle-timeout")];
const OWN: &[Requirement] = &[
    Requirement::ManyClients,
    Requirement::OwnProcess,
    Requirement::Option("--idle-timeout"),
];

pub(super) const CASES: &[Case] = &[
    case!(Process, Threads, closes_silent_clients_after_the_idle_timeout)
        .needs(LIMITED)
        .options(OPTIONS),
    case!(Process, Threads, closes_a_silent_client_however_often_it_is_stopped)
        .needs(OWN)
        .options(OPTIONS),
    case!(Process, Epoll, keeps_a_client_that_sent_while_it_was_stopped)
        .needs(OWN)
        .options(LONGER),
    case!(Process, Epoll, keeps_a_client_that_reads_slowly)
        .needs(LIMITED)
        .options(LONGER),
];

/// Fails: a timeout that counts from the connect; one that ends those that talk.
fn closes_silent_clients_after_the_idle_timeout(server: &Server) -> CaseResult {
    let start = Instant::now();
    let mut silent = server.connect()?;
    let mut active = server.connect()?;
    while !silent.has_ended()? {
        active.ask(b"ping\n", b"pong\n")?;
        if start.elapsed() > server.timeout() {
            return Err(CaseError::new("a silent client is not closed")
                .expected("its end after --idle-timeout 1"));
        }
    }
    if start.elapsed() < Duration::from_millis(900) {
        return Err(CaseError::new("a silent client is closed too early")
            .expected("its end after --idle-timeout 1")
            .came(format!("its end after {:?}", start.elapsed())));
    }
    active.ask(b"ping\n", b"pong\n")
}

/// Fails: a timeout that begins anew with each EINTR, as that of `recv` does.
/// `man 7 signal`.
fn closes_a_silent_client_however_often_it_is_stopped(
    server: &Server,
) -> CaseResult {
    let process = server.process()?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let start = Instant::now();
    while !client.has_ended()? {
        process.stop()?;
        process.signal(SIGCONT)?;
        if start.elapsed() > server.timeout() {
            return Err(CaseError::new("a silent client is not closed")
                .sent("SIGSTOP and SIGCONT, again and again")
                .expected("its end after --idle-timeout 1"));
        }
    }
    Ok(())
}

/// Fails: a server that looks at its clock before it looks at its sockets. The
/// timeout is over when it goes on, and the line is there.
fn keeps_a_client_that_sent_while_it_was_stopped(
    server: &Server,
) -> CaseResult {
    let mut client = waiting_for_a_stopped(server)?;
    sleep(IDLE_TIMEOUT + IDLE_TIMEOUT / 4);
    server.process()?.signal(SIGCONT)?;
    client.expect(b"pong\n")?;
    client.ask(b"ping\n", b"pong\n")
}

/// Fails: a timeout that counts what comes in alone; megabytes in the send
/// buffer, of which the client takes less in that time than the kernel tells.
fn keeps_a_client_that_reads_slowly(server: &Server) -> CaseResult {
    const LINES: usize = 8_000;
    let mut client = server.connect()?;
    let line = times(999, b"z");
    client.send_meanwhile([&line[..], b"\n"].concat().repeat(LINES))?;
    let replies = echo(&line).repeat(LINES);
    let mut pieces = replies.chunks(32 << 10);
    let start = Instant::now();
    while start.elapsed() < IDLE_TIMEOUT * 2
        && let Some(piece) = pieces.next()
    {
        client.expect(piece)?;
        sleep(Duration::from_millis(150));
    }
    client.expect(&pieces.collect::<Vec<_>>().concat())
}
