//! Process: SIGINT and SIGTERM end it in order.

use harness::Signal::{SIGCONT, SIGINT, SIGTERM};

use super::helpers::{Stalled, times, waiting_for_a_stopped};
use crate::case::{Case, Requirement, case};
use harness::{
    CaseError, CaseResult, Client, FLOWING, Server, eventually, shown,
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
    case!(Process, Blocking, ends_on_signals_that_its_parent_had_blocked)
        .needs(&[Requirement::OwnProcess, Requirement::BlockedSignals])
        .signals_blocked()
        .ends_the_server(),
    case!(Process, Blocking, ends_in_time_though_clients_go_on_sending)
        .needs(OWN)
        .ends_the_server(),
];

fn ends_with_status_0_on_sigint(server: &Server) -> CaseResult {
    server.process()?.ends_in_order(SIGINT)
}

/// Fails: the article's servers, which handle SIGINT alone.
fn ends_with_status_0_on_sigterm(server: &Server) -> CaseResult {
    server.still_serves()?;
    server.process()?.ends_in_order(SIGTERM)
}

/// Fails: a handler for a signal that the parent has blocked. The mask is
/// inherited over `execve`. `man 2 sigprocmask`.
fn ends_on_signals_that_its_parent_had_blocked(server: &Server) -> CaseResult {
    server.still_serves()?;
    server.process()?.ends_in_order(SIGTERM)
}

/// Fails: a server that answers all that comes, while more is coming.
fn ends_in_time_though_clients_go_on_sending(server: &Server) -> CaseResult {
    let clients = server.connect_many(4)?.into_iter();
    let pour = |client: Client| client.pour(times(12_000, b"ping\n"));
    let senders: Vec<_> = clients.map(pour).collect::<Result<_, _>>()?;
    eventually(server.timeout(), || senders[0].has_received(FLOWING))?;
    server.process()?.ends_in_order(SIGTERM)?;
    // That they are cut off is right here.
    senders.into_iter().for_each(|sender| drop(sender.stop()));
    Ok(())
}

/// Fails: a server that waits for its clients to leave.
fn ends_with_idle_clients_connected(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(5)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    server.process()?.ends_in_order(SIGTERM)?;
    for client in &mut clients {
        client.read_to_the_end()?;
    }
    Ok(())
}

/// Fails: a server that waits until its last reply is read.
fn ends_with_a_client_that_never_reads(server: &Server) -> CaseResult {
    let _stalled = Stalled::new(server)?;
    server.process()?.ends_in_order(SIGTERM)
}

/// Fails: an exit that forgets what the kernel had already received.
fn answers_what_had_come_when_the_signal_came(server: &Server) -> CaseResult {
    let mut client = waiting_for_a_stopped(server)?;
    let process = server.process()?;
    process.signal(SIGTERM)?;
    process.signal(SIGCONT)?;
    client.expect(b"pong\n")?;
    process.has_ended_in_order()
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
    process.has_ended_in_order()
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
