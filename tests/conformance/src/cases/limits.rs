//! Process: no more clients than the server may have, or wants.

use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Client, Process, Server};

/// What fits into 20 descriptors, and what does not.
const FILES: u32 = 20;
const CROWD: usize = 40;

const LIMITED: &[Requirement] =
    &[Requirement::ManyClients, Requirement::Inspection];

pub(super) const CASES: &[Case] = &[
    case!(Process, Threads, serves_whom_it_can_at_the_descriptor_limit)
        .needs(LIMITED)
        .open_files(FILES),
    case!(Process, Threads, bears_to_run_out_of_descriptors)
        .needs(&[
            Requirement::ManyClients,
            Requirement::Inspection,
            Requirement::Option("--max-connections"),
        ])
        .options(&["--max-connections", "1000"])
        .open_files(FILES),
    case!(Process, Threads, lets_clients_past_max_connections_wait)
        .needs(&[
            Requirement::ManyClients,
            Requirement::Option("--max-connections"),
        ])
        .options(&["--max-connections", "3"]),
    case!(Process, Threads, closes_silent_clients_after_the_idle_timeout)
        .needs(&[
            Requirement::ManyClients,
            Requirement::Option("--idle-timeout"),
        ])
        .options(&["--idle-timeout", "1"]),
];

/// Fails: EMFILE taken for the end of the server, or of the client that is
/// next; an accept loop that spins, and fills the log.
fn serves_whom_it_can_at_the_descriptor_limit(server: &Server) -> CaseResult {
    let mut clients = asking(server, CROWD)?;
    clients[0].expect(b"pong\n")?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    clients[1].expect(b"pong\n")?;
    stays_idle(server.process()?)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    drop(clients.remove(0));
    drop(clients.remove(0));
    // The accept queue is first in, first out: each that leaves lets in the
    // next.
    for mut client in clients {
        client.expect(b"pong\n")?;
    }
    Ok(())
}

/// The same for a server that counts its clients, when the count is no help:
/// `accept` itself says EMFILE.
fn bears_to_run_out_of_descriptors(server: &Server) -> CaseResult {
    serves_whom_it_can_at_the_descriptor_limit(server)
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

/// Fails: a timeout that counts from the connect; one that ends those who talk.
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

fn asking(server: &Server, count: usize) -> Result<Vec<Client>, CaseError> {
    let mut clients = server.connect_many(count)?;
    for client in &mut clients {
        client.send(b"ping\n")?;
    }
    Ok(clients)
}

/// A server with nothing to do uses no processor, and says little of it. One
/// that spins is never seen to wait, and one that does not is seen so, however
/// busy the machine is: so we watch until either is plain.
pub(super) fn stays_idle(process: &Process) -> CaseResult {
    const BETWEEN: Duration = Duration::from_millis(20);
    const GLANCES: usize = 20;
    const TOO_MUCH: Duration = Duration::from_millis(100);
    let (start, said) = (Instant::now(), process.stderr.lines());
    let before = process.cpu_time()?;
    let mut calm = 0;
    while calm < GLANCES {
        thread::sleep(BETWEEN);
        calm += usize::from(!process.wants_to_run()?);
        let used = process.cpu_time()?.saturating_sub(before);
        if used > TOO_MUCH {
            return Err(CaseError::new("the server spins with nothing to do")
                .expected("no processor time, or nearly none")
                .came(format!("{used:?} in {:?}", start.elapsed())));
        }
    }
    let lines = process.stderr.lines() - said;
    if lines > 5 {
        return Err(CaseError::new("the server floods its log").came(format!(
            "{lines} lines on stderr in {:?}",
            start.elapsed()
        )));
    }
    Ok(())
}
