//! Process: SIGINT and SIGTERM end it in order.

use harness::Signal::{self, SIGCONT, SIGINT, SIGTERM};

use super::helpers::{Stalled, times};
use crate::case::{Case, Requirement, case};
use harness::{
    CaseError, CaseResult, Client, Process, SHUTDOWN_TIMEOUT, Server, shown,
};

const OWN: &[Requirement] = &[Requirement::OwnProcess];

pub(super) const CASES: &[Case] = &[
    case!(Process, Blocking, ends_with_status_0_on_sigint)
        .needs(OWN)
        .ends_the_server(),
    case!(Process, Blocking, ends_with_status_0_on_sigterm)
        .needs(OWN)
        .ends_the_server(),
    case!(Process, Threads, ends_with_idle_clients_connected)
        .needs(OWN)
        .ends_the_server(),
    case!(Process, Threads, ends_with_a_client_that_never_reads)
        .needs(OWN)
        .ends_the_server(),
    case!(Process, Threads, answers_what_had_come_when_the_signal_came)
        .needs(OWN)
        .ends_the_server(),
    case!(Process, Threads, tears_no_reply_when_it_ends_under_load)
        .needs(OWN)
        .ends_the_server(),
];

/// Sends `signal`, and the server must end as if it had nothing more to do.
fn ends_in_order(process: &Process, signal: Signal) -> CaseResult {
    process.signal(signal)?;
    has_ended_in_order(process, signal)
}

pub(super) fn has_ended_in_order(
    process: &Process,
    signal: Signal,
) -> CaseResult {
    let status = process.wait(SHUTDOWN_TIMEOUT)?;
    if status.success() {
        return Ok(());
    }
    Err(CaseError::new("the server does not end in order")
        .sent(signal.to_string())
        .expected("exit status: 0")
        .came(status.to_string()))
}

fn ends_with_status_0_on_sigint(server: &Server) -> CaseResult {
    ends_in_order(server.process()?, SIGINT)
}

/// Fails: the article's servers, which handle SIGINT alone.
fn ends_with_status_0_on_sigterm(server: &Server) -> CaseResult {
    server.still_serves()?;
    ends_in_order(server.process()?, SIGTERM)
}

/// Fails: a server that waits for its clients to leave.
fn ends_with_idle_clients_connected(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(5)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    ends_in_order(server.process()?, SIGTERM)?;
    for client in &mut clients {
        client.read_to_the_end()?;
    }
    Ok(())
}

/// Fails: a server that waits until its last reply is read.
fn ends_with_a_client_that_never_reads(server: &Server) -> CaseResult {
    let _stalled = Stalled::new(server)?;
    ends_in_order(server.process()?, SIGTERM)
}

/// Fails: an exit that forgets what the kernel had already received.
fn answers_what_had_come_when_the_signal_came(server: &Server) -> CaseResult {
    let process = server.process()?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    process.stop()?;
    client.send(b"ping\n")?;
    client.has_arrived()?;
    process.signal(SIGTERM)?;
    process.signal(SIGCONT)?;
    client.expect(b"pong\n")?;
    has_ended_in_order(process, SIGTERM)
}

/// Fails: an exit in the middle of a reply; a close while more is coming in,
/// which resets the connection, and the reset overtakes the replies. A client
/// may lose replies to lines that were on their way; half a reply it must never
/// get.
fn tears_no_reply_when_it_ends_under_load(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(5)?;
    for client in &mut clients {
        client.send_meanwhile(times(100_000, b"ping\n"))?;
    }
    clients[0].expect(&times(1_000, b"pong\n"))?;
    let process = server.process()?;
    process.signal(SIGTERM)?;
    clients.iter_mut().try_for_each(has_whole_replies)?;
    has_ended_in_order(process, SIGTERM)
}

fn has_whole_replies(client: &mut Client) -> CaseResult {
    let replies = client.read_to_the_end()?;
    if replies == times(replies.len() / 5, b"pong\n") {
        return Ok(());
    }
    let end = replies.len().saturating_sub(20);
    Err(CaseError::new("a reply is torn")
        .sent("100000 times \"ping\\n\", then SIGTERM")
        .expected("nothing but whole replies")
        .came(format!("at the end: {}", shown(&replies[end..]))))
}
