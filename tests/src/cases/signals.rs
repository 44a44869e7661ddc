//! Process: SIGINT and SIGTERM end it in order.

use std::time::Duration;

use nix::sys::signal::Signal::{self, SIGCONT, SIGINT, SIGTERM};

use super::words::{Stalled, times};
use crate::case::{Case, Need, case};
use crate::{Client, Failure, Outcome, Process, Server, shown};

/// The time that a server has for its end.
const FAREWELL: Duration = Duration::from_secs(2);

const OWN: &[Need] = &[Need::OwnProcess];

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
fn ends_in_order(process: &Process, signal: Signal) -> Outcome {
    process.signal(signal)?;
    has_ended_in_order(process, signal)
}

pub(super) fn has_ended_in_order(process: &Process, signal: Signal) -> Outcome {
    let status = process.wait(FAREWELL)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new("the server does not end in order")
        .sent(signal.to_string())
        .expected("exit status: 0")
        .came(status.to_string()))
}

fn ends_with_status_0_on_sigint(server: &Server) -> Outcome {
    ends_in_order(server.process()?, SIGINT)
}

/// Fails: the article's servers, which handle SIGINT alone.
fn ends_with_status_0_on_sigterm(server: &Server) -> Outcome {
    server.still_serves()?;
    ends_in_order(server.process()?, SIGTERM)
}

/// Fails: a server that waits for its clients to leave.
fn ends_with_idle_clients_connected(server: &Server) -> Outcome {
    let mut clients = server.connect_many(5)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    ends_in_order(server.process()?, SIGTERM)?;
    for client in &mut clients {
        client.read_to_the_end()?;
    }
    Ok(())
}

/// Fails: a server that waits until its last reply is read.
fn ends_with_a_client_that_never_reads(server: &Server) -> Outcome {
    let _stalled = Stalled::new(server)?;
    ends_in_order(server.process()?, SIGTERM)
}

/// Fails: an exit that forgets what the kernel had already received.
fn answers_what_had_come_when_the_signal_came(server: &Server) -> Outcome {
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
fn tears_no_reply_when_it_ends_under_load(server: &Server) -> Outcome {
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

fn has_whole_replies(client: &mut Client) -> Outcome {
    let replies = client.read_to_the_end()?;
    if replies == times(replies.len() / 5, b"pong\n") {
        return Ok(());
    }
    let end = replies.len().saturating_sub(20);
    Err(Failure::new("a reply is torn")
        .sent("100000 times \"ping\\n\", then SIGTERM")
        .expected("nothing but whole replies")
        .came(format!("at the end: {}", shown(&replies[end..]))))
}
