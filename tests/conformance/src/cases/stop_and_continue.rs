//! Process: stopped for a while (Ctrl-Z), and then on again (`fg`).

use harness::Signal::SIGCONT;

use super::helpers::echo;
use crate::case::{Case, Requirement, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Process, Blocking, goes_on_after_a_stop)
        .needs(&[Requirement::OwnProcess]),
    case!(Process, Epoll, goes_on_after_a_stop_with_many_clients)
        .needs(&[Requirement::OwnProcess, Requirement::ManyClients]),
    case!(Process, Epoll, serves_all_clients_that_came_while_it_was_stopped)
        .needs(&[Requirement::OwnProcess, Requirement::Descriptors(600)]),
];

/// Fails: EINTR taken for an error. Linux gives it to `epoll_wait` after a
/// stop even where no handler ran. `man 7 signal`.
fn goes_on_after_a_stop(server: &Server) -> CaseResult {
    let process = server.process()?;
    for _ in 0..3 {
        // Once in `accept`, and once in `recv`.
        process.stop()?;
        process.signal(SIGCONT)?;
        let mut client = server.connect()?;
        client.ask(b"ping\n", b"pong\n")?;
        process.stop()?;
        client.send(b"hello\n")?;
        process.signal(SIGCONT)?;
        client.expect(&echo(b"hello"))?;
    }
    Ok(())
}

fn goes_on_after_a_stop_with_many_clients(server: &Server) -> CaseResult {
    let process = server.process()?;
    let mut clients = server.connect_many(20)?;
    for client in &mut clients {
        client.ask(b"ping\n", b"pong\n")?;
    }
    process.stop()?;
    for client in &mut clients[..10] {
        client.send(b"hello\n")?;
    }
    process.signal(SIGCONT)?;
    for client in &mut clients[..10] {
        client.expect(&echo(b"hello"))?;
    }
    // Those that said nothing meanwhile are served as well.
    for client in &mut clients[10..] {
        client.ask(b"ping\n", b"pong\n")?;
    }
    Ok(())
}

/// Fails: one `accept` for each event of an edge-triggered epoll. When the
/// server wakes, all of these are in the queue, and one event tells of them.
fn serves_all_clients_that_came_while_it_was_stopped(
    server: &Server,
) -> CaseResult {
    let process = server.process()?;
    process.stop()?;
    let mut clients = server.connect_many(500)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
        client.half_close()?;
    }
    process.signal(SIGCONT)?;
    for client in &mut clients {
        client.expect(b"pong\n")?;
        client.expect_end()?;
    }
    Ok(())
}
