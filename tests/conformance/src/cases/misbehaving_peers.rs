//! Peers: clients that leave in every way, or stay in none of the usual ones.

use super::helpers::{Stalled, times};
use super::limits::stays_idle;
use crate::case::{Case, Requirement, case};
use harness::{
    CaseError, CaseResult, Client, FLOWING, Server, eventually,
    proc_unavailable,
};

pub(super) const CASES: &[Case] = &[
    case!(Peers, Blocking, survives_clients_that_leave_without_a_word),
    case!(Peers, Blocking, survives_resets_before_anything_is_sent),
    case!(Peers, Blocking, survives_resets_right_after_a_line),
    case!(Peers, Blocking, survives_resets_in_the_middle_of_a_line),
    case!(Peers, Blocking, survives_resets_with_replies_pending),
    case!(Peers, Blocking, survives_clients_that_do_not_wait_for_replies),
    case!(Peers, Epoll, stops_reading_from_a_client_that_never_reads),
    case!(Peers, Threads, serves_others_beside_a_silent_client)
        .needs(&[Requirement::ManyClients]),
    case!(Peers, Epoll, serves_others_beside_a_client_that_never_reads)
        .needs(&[Requirement::ManyClients]),
    case!(Peers, Epoll, serves_others_beside_a_slow_reader)
        .needs(&[Requirement::ManyClients]),
    case!(Peers, Epoll, serves_others_beside_an_endless_sender)
        .needs(&[Requirement::ManyClients]),
];

/// How many clients do the same thing one after the other.
const ROUNDS: usize = 50;

fn in_turn(
    server: &Server,
    visit: impl Fn(Client) -> CaseResult,
) -> CaseResult {
    for _ in 0..ROUNDS {
        visit(server.connect()?)?;
    }
    server.still_serves()
}

/// Fails: an end of input that ends the server.
fn survives_clients_that_leave_without_a_word(server: &Server) -> CaseResult {
    in_turn(server, |client| {
        drop(client);
        Ok(())
    })
}

/// Fails: ECONNABORTED or ECONNRESET taken for the server's own error.
fn survives_resets_before_anything_is_sent(server: &Server) -> CaseResult {
    in_turn(server, Client::reset)
}

/// Fails: SIGPIPE, which ends a program that writes to a peer that is gone.
fn survives_resets_right_after_a_line(server: &Server) -> CaseResult {
    in_turn(server, |mut client| {
        client.send(b"ping\nhello\n")?;
        client.reset()
    })
}

fn survives_resets_in_the_middle_of_a_line(server: &Server) -> CaseResult {
    in_turn(server, |mut client| {
        client.send(b"hel")?;
        client.reset()
    })
}

/// Fails: the article's server of threads, for all clients.
fn survives_resets_with_replies_pending(server: &Server) -> CaseResult {
    for _ in 0..10 {
        let mut client = server.connect()?;
        client.send(&times(5_000, b"ping\n"))?;
        client.reset()?;
    }
    server.still_serves()
}

/// A close with replies unread is a reset to the server.
fn survives_clients_that_do_not_wait_for_replies(
    server: &Server,
) -> CaseResult {
    in_turn(server, |mut client| client.send(b"ping\nping\n"))
}

/// Fails: a `recv` that waits for the rest of a line while others wait, too.
fn serves_others_beside_a_silent_client(server: &Server) -> CaseResult {
    let mut silent = server.connect_many(4)?;
    silent[1].send(b"p")?;
    silent[2].send(b"half a line")?;
    silent[3].ask(b"ping\n", b"pong\n")?;
    let mut other = server.connect()?;
    for _ in 0..20 {
        other.ask(b"ping\n", b"pong\n")?;
        server.still_serves()?;
    }
    Ok(())
}

/// Fails: a server that reads on while its replies pile up in its memory; one
/// that waits, level-triggered, for bytes that it does not take.
fn stops_reading_from_a_client_that_never_reads(server: &Server) -> CaseResult {
    let Stalled { mut client, replies, rest } = Stalled::new(server)?;
    if server.process().is_ok() && proc_unavailable().is_none() {
        stays_idle(server)?;
    }
    // None of the replies is lost: they were only waiting to be read.
    client.exchange(rest, &replies)?;
    client.ask(b"ping\n", b"pong\n")
}

/// Fails: a blocking `send` inside an event loop.
fn serves_others_beside_a_client_that_never_reads(
    server: &Server,
) -> CaseResult {
    let stalled = Stalled::new(server)?;
    let mut other = server.connect()?;
    for _ in 0..20 {
        other.ask(b"ping\n", b"pong\n")?;
        server.still_serves()?;
    }
    stalled.client.reset()?;
    other.ask(b"ping\n", b"pong\n")
}

/// Fails: replies given up after a partial write; a server that sees one
/// connection's replies out before it looks at the next.
fn serves_others_beside_a_slow_reader(server: &Server) -> CaseResult {
    let Stalled { client: mut slow, replies, rest } = Stalled::new(server)?;
    let mut other = server.connect()?;
    let (byte_by_byte, then) = replies.split_at(100);
    for byte in byte_by_byte.chunks(1) {
        slow.expect(byte)?;
        other.ask(b"ping\n", b"pong\n")?;
    }
    let (bit_by_bit, then) = then.split_at(then.len() / 2);
    for part in bit_by_bit.chunks(10_000) {
        slow.expect(part)?;
        other.ask(b"ping\n", b"pong\n")?;
    }
    slow.exchange(rest, then)
}

/// Fails: "read until it would block" for a client whose bytes never end. Where
/// the server is fast it does block now and then, and the others get their
/// turn: so how long they wait is counted in replies to that client.
fn serves_others_beside_an_endless_sender(server: &Server) -> CaseResult {
    // Fair servers send up to 3 MB, one that reads 64 KiB at a time 60, unfair
    // ones 800 and more.
    const MOST_MB: usize = 256;
    // One byte in, 21 bytes out: easier sent than answered.
    let sender = server.connect()?.pour(times(64 << 10, b"\n"))?;
    let mut other = server.connect()?;
    let mut meanwhile = 0;
    for _ in 0..20 {
        let flowing = sender.received() + FLOWING;
        eventually(server.timeout(), || sender.has_received(flowing))?;
        let before = sender.received();
        other.ask(b"ping\n", b"pong\n")?;
        meanwhile += sender.received() - before;
        if meanwhile >> 20 > MOST_MB {
            return Err(CaseError::new("all others wait for one client")
                .expected(format!("at most {MOST_MB} MB to it meanwhile"))
                .came(format!("{} MB", meanwhile >> 20)));
        }
    }
    server.still_serves()?;
    sender.stop()
}
