//! Process: what clients cost is given back when they leave.

use super::helpers::{TOO_LONG, times};
use super::limits::stays_idle;
use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Client, Resources, Server};

pub(super) const CASES: &[Case] = &[
    case!(Process, Blocking, gives_back_the_descriptors_of_clients_that_leave)
        .needs(&[Requirement::Inspection]),
    case!(Process, Blocking, gives_back_the_descriptors_of_clients_that_reset)
        .needs(&[Requirement::Inspection]),
    case!(Process, Epoll, gives_back_what_300_connections_took).needs(&[
        Requirement::Inspection,
        Requirement::ManyClients,
        Requirement::Descriptors(900),
    ]),
    case!(Process, Protocol, keeps_nothing_of_a_line_of_48_megabytes)
        .needs(&[Requirement::Inspection]),
    case!(Process, Epoll, stays_calm_with_idle_clients)
        .needs(&[Requirement::Inspection]),
    case!(
        Process,
        Epoll,
        stays_calm_while_a_byte_before_urgent_data_is_missing
    )
    .needs(&[
        Requirement::Inspection,
        Requirement::ManyClients,
        Requirement::UrgentGap,
    ]),
];

/// What a language's runtime may make when the first clients come: a poller,
/// threads of its own. A server that loses something with every third of 100
/// clients loses more.
const OF_THE_RUNTIME: usize = 16;

/// What the server may hold when all clients are gone.
fn most(server: &Server) -> Result<Resources, CaseError> {
    let now = Resources::of(server.process()?.proc())?;
    server.still_serves()?;
    Ok(now.plus(OF_THE_RUNTIME))
}

fn gives_back(server: &Server, most: Resources) -> CaseResult {
    most.is_reached_by(server.process()?.proc(), server.timeout())
}

/// Fails: a thread that waits for a client that is gone.
fn gives_back_the_descriptors_of_clients_that_leave(
    server: &Server,
) -> CaseResult {
    returns_after(server, |mut client, round| match round % 4 {
        0 => client.send(b"half a line"),
        1 => client.ask(b"ping\n", b"pong\n"),
        2 => client.half_close(),
        _ => Ok(()),
    })
}

/// Fails: an error or a hang-up after which `close` is not called, as in the
/// article's epoll server.
fn gives_back_the_descriptors_of_clients_that_reset(
    server: &Server,
) -> CaseResult {
    returns_after(server, |mut client, round| {
        match round % 3 {
            0 => client.ask(b"ping\n", b"pong\n")?,
            // The reset comes with a line: one event tells of both.
            1 => client.send(b"ping\n")?,
            _ => {}
        }
        client.reset()
    })
}

fn returns_after(
    server: &Server,
    visit: impl Fn(Client, usize) -> CaseResult,
) -> CaseResult {
    let most = most(server)?;
    for round in 0..100 {
        visit(server.connect()?, round)?;
    }
    gives_back(server, most)
}

fn gives_back_what_300_connections_took(server: &Server) -> CaseResult {
    let most = most(server)?;
    let mut clients = server.connect_many(300)?;
    for client in &mut clients {
        client.ask(b"ping\n", b"pong\n")?;
    }
    drop(clients);
    gives_back(server, most)
}

/// Fails: a buffer that grows until the newline comes. A runtime that collects
/// its garbage later may grow once, too, but not each time.
fn keeps_nothing_of_a_line_of_48_megabytes(server: &Server) -> CaseResult {
    const MOST_KIB: usize = 24 << 10;
    let mut client = server.connect()?;
    client.exchange(times(16 << 20, b"a"), TOO_LONG)?;
    client.is_read()?;
    let process = server.process()?.proc();
    let mut grown = 0;
    for _ in 0..3 {
        let before = process.resident_kib()?;
        client.exchange(times(48 << 20, b"a"), b"")?;
        client.is_read()?;
        grown = process.resident_kib()?.saturating_sub(before);
        if grown <= MOST_KIB {
            return client.exchange(b"\nping\n".to_vec(), b"pong\n");
        }
    }
    Err(CaseError::new("the server keeps a line that it will not answer")
        .sent("48 MB without a newline")
        .expected(format!("at most {MOST_KIB} KiB more"))
        .came(format!("{grown} KiB more")))
}

/// Fails: a loop that asks to be told when it may write, and always may.
fn stays_calm_with_idle_clients(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(3)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    stays_idle(server)?;
    clients[0].ask(b"ping\n", b"pong\n")
}

/// Fails: a loop that waits for EPOLLPRI, or POLLPRI: it is reported as long as
/// the byte is missing, while `recv` says EAGAIN.
fn stays_calm_while_a_byte_before_urgent_data_is_missing(
    server: &Server,
) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    client.send_urgent_data_behind_a_gap()?;
    // It has arrived when another client, which came later, is served.
    server.still_serves()?;
    stays_idle(server)
}
