//! Process: no more clients than the server may have, or wants.

use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, Requirement, case};
use harness::{
    CaseError, CaseResult, Client, Process, ReadEnd, Server, eventually,
};

/// Enough for any language's runtime, and what does not fit into it.
const FILES: u32 = 64;
const CROWD: usize = 120;

const LIMITED: &[Requirement] =
    &[Requirement::ManyClients, Requirement::OneQueue, Requirement::Inspection];

pub(super) const CASES: &[Case] = &[
    case!(Process, Threads, serves_on_at_the_descriptor_limit)
        .needs(LIMITED)
        .open_files(FILES),
    case!(Process, Threads, bears_to_run_out_of_descriptors)
        .needs(&[
            Requirement::ManyClients,
            Requirement::OneQueue,
            Requirement::Inspection,
            Requirement::Option("--max-connections"),
        ])
        .options(&["--max-connections", "1000"])
        .open_files(FILES),
    case!(Process, Threads, lets_clients_past_max_connections_wait)
        .needs(&[
            Requirement::ManyClients,
            Requirement::OneQueue,
            Requirement::Option("--max-connections"),
        ])
        .options(&["--max-connections", "3"]),
];

/// Fails: EMFILE taken for the end of the server, or of a client that it has;
/// an accept loop that spins, and fills the log. Those that find no room
/// may wait, or be refused, as by Node's runtime.
fn serves_on_at_the_descriptor_limit(server: &Server) -> CaseResult {
    let mut clients = asking(server, CROWD)?;
    keeps_those_it_has(server, &mut clients)?;
    clients.drain(..2);
    // Each that leaves makes room for the next.
    clients.into_iter().try_for_each(is_served_or_refused)?;
    // It may refuse one more until it has seen that the others have left.
    eventually(server.timeout(), || server.still_serves())
}

fn is_served_or_refused(client: Client) -> CaseResult {
    let reply = b"pong\n";
    let received = client.receive(reply.len(), |came| reply.starts_with(came));
    let refused = received.bytes.is_empty()
        && matches!(received.end, ReadEnd::End | ReadEnd::Broken(_));
    if refused || received.bytes == reply {
        return Ok(());
    }
    Err(CaseError::new("a client is neither served nor refused")
        .expected("\"pong\\n\", or the end of the connection")
        .came(received.to_string()))
}

/// The same for a server that counts its clients, when the count is no help:
/// `accept` itself says EMFILE. Fails also: a server that refuses
/// those that find no room.
fn bears_to_run_out_of_descriptors(server: &Server) -> CaseResult {
    let mut clients = asking(server, CROWD)?;
    keeps_those_it_has(server, &mut clients)?;
    clients.drain(..2);
    // The accept queue is first in, first out: each that leaves lets in the
    // next.
    for mut client in clients {
        client.expect(b"pong\n")?;
    }
    Ok(())
}

fn keeps_those_it_has(server: &Server, clients: &mut [Client]) -> CaseResult {
    clients[0].expect(b"pong\n")?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    clients[1].expect(b"pong\n")?;
    stays_idle(server)?;
    clients[0].ask(b"ping\n", b"pong\n")
}

fn lets_clients_past_max_connections_wait(server: &Server) -> CaseResult {
    let mut clients = asking(server, 5)?;
    for client in &mut clients[..3] {
        client.expect(b"pong\n")?;
    }
    clients[3].expect_quiet()?;
    drop(clients.remove(1));
    clients[2].expect(b"pong\n")?;
    clients[3].expect_quiet()?;
    drop(clients.remove(0));
    clients[2].expect(b"pong\n")
}

fn asking(server: &Server, count: usize) -> Result<Vec<Client>, CaseError> {
    let mut clients = server.connect_many(count)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
    }
    Ok(clients)
}

/// A server with nothing to do uses no processor, and says little of it. What
/// clients have left it to do it may do first.
pub(super) fn stays_idle(server: &Server) -> CaseResult {
    eventually(server.timeout(), || is_idle(server.process()?))
}

/// One that spins wants to run whenever we look, however little others let it.
fn is_idle(process: &Process) -> CaseResult {
    const BETWEEN: Duration = Duration::from_millis(20);
    const SAMPLES: usize = 20;
    const TOO_MUCH: Duration = Duration::from_millis(100);
    const TOO_MANY_LINES: usize = 5;
    let (start, lines) = (Instant::now(), process.stderr.lines());
    let before = process.proc().cpu_time()?;
    let mut running = 0;
    for _ in 0..SAMPLES {
        thread::sleep(BETWEEN);
        running += usize::from(process.proc().wants_to_run());
    }
    let used = process.proc().cpu_time()?.saturating_sub(before);
    let (time, lines) = (start.elapsed(), process.stderr.lines() - lines);
    if used > TOO_MUCH || running > SAMPLES / 2 {
        return Err(CaseError::new("the server spins with nothing to do")
            .expected("no processor time, or nearly none")
            .came(format!("{used:?} in {time:?}")));
    }
    if lines > TOO_MANY_LINES {
        return Err(CaseError::new("the server floods its log")
            .came(format!("{lines} lines on stderr in {time:?}")));
    }
    Ok(())
}
