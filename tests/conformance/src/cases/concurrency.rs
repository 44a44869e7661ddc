//! Peers: many at once.

use super::helpers::echo;
use crate::case::{Case, Requirement, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Peers, Blocking, lets_the_second_client_wait_for_the_first)
        .needs(&[Requirement::OneClientAtATime]),
    case!(Peers, Threads, serves_a_second_client_beside_the_first)
        .needs(&[Requirement::ManyClients]),
    case!(Peers, Threads, gives_each_of_100_clients_its_own_replies)
        .needs(&[Requirement::ManyClients]),
    case!(Peers, Blocking, serves_all_of_500_connects_at_once)
        .needs(&[Requirement::Descriptors(600)]),
    case!(Peers, Epoll, serves_3000_connections_at_once)
        .needs(&[Requirement::ManyClients, Requirement::Descriptors(3_600)]),
];

/// The lesson of step 01: the kernel completes the second handshake, and the
/// connection waits in the accept queue.
fn lets_the_second_client_wait_for_the_first(server: &Server) -> CaseResult {
    let mut first = server.connect()?;
    first.ask(b"ping\n", b"pong\n")?;
    let mut second = server.connect()?;
    second.send(b"ping\n")?;
    second.expect_quiet()?;
    first.ask(b"hello\n", &echo(b"hello"))?;
    second.expect_quiet()?;
    drop(first);
    second.expect(b"pong\n")
}

/// Fails: the server of step 01.
fn serves_a_second_client_beside_the_first(server: &Server) -> CaseResult {
    let mut first = server.connect()?;
    first.ask(b"ping\n", b"pong\n")?;
    let mut second = server.connect()?;
    second.ask(b"hello\n", &echo(b"hello"))?;
    first.ask(b"ping\n", b"pong\n")
}

/// Fails: a buffer that two connections share.
fn gives_each_of_100_clients_its_own_replies(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(100)?;
    for round in 0..3 {
        let line = |number: usize| format!("client {number}, round {round}");
        for (number, client) in clients.iter_mut().enumerate() {
            // Cut in two, so that each connection holds half a line.
            client.send(line(number).as_bytes())?;
        }
        // One half by itself at the least, however busy the server is.
        clients[0].is_read()?;
        for client in &mut clients {
            client.send(b"\n")?;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            client.expect(&echo(line(number).as_bytes()))?;
        }
    }
    Ok(())
}

/// Fails: a backlog of 5, as in the article: the kernel drops the handshakes
/// that find the queue full, and each comes again after a whole second.
fn serves_all_of_500_connects_at_once(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(500)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
        client.half_close()?;
    }
    for client in &mut clients {
        client.expect(b"pong\n")?;
        client.expect_end()?;
    }
    Ok(())
}

/// Fails: `select`, whose sets end at descriptor 1,023. A server that runs
/// already needs as high a limit on open files as this test: `ulimit -n`.
fn serves_3000_connections_at_once(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(3_000)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
    }
    for client in &mut clients {
        client.expect(b"pong\n")?;
    }
    // All are open still: the first is served as well as the last.
    clients[0].ask(b"ping\n", b"pong\n")
}
