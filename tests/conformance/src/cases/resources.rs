//! Process: what clients cost is given back when they leave.

use super::helpers::{TOO_LONG, times};
use super::limits::stays_idle;
use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Client, Process, Server, eventually};

pub(super) const CASES: &[Case] = &[
    case!(Process, Blocking, gives_back_the_descriptors_of_all_who_leave)
        .needs(&[Requirement::Inspection]),
    case!(Process, Blocking, gives_back_the_descriptors_of_all_who_reset)
        .needs(&[Requirement::Inspection]),
    case!(Process, Epoll, gives_back_what_300_connections_took).needs(&[
        Requirement::Inspection,
        Requirement::ManyClients,
        Requirement::Descriptors(900),
    ]),
    case!(Process, Protocol, keeps_nothing_of_a_line_of_16_megabytes)
        .needs(&[Requirement::Inspection]),
    case!(Process, Epoll, stays_calm_with_idle_clients)
        .needs(&[Requirement::Inspection]),
];

/// What a server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Resources {
    descriptors: usize,
    threads: usize,
}

impl Resources {
    fn of(process: &Process) -> Result<Self, CaseError> {
        let descriptors = process.descriptors()?;
        Ok(Self { descriptors, threads: process.threads()? })
    }

    /// Once a client has been served, so that what is made once is made.
    fn after_one_client(server: &Server) -> Result<Self, CaseError> {
        let process = server.process()?;
        let at_first = Self::of(process)?;
        server.still_serves()?;
        // It may have more now than at first, but not that client's.
        let mut now = at_first;
        eventually(server.timeout(), || {
            now = Self::of(process)?;
            let rest = now.descriptors <= at_first.descriptors + 2;
            if rest { Ok(()) } else { Err(now.more_than(at_first)) }
        })?;
        Ok(now)
    }

    fn more_than(self, before: Self) -> CaseError {
        CaseError::new("the server does not give back what its clients took")
            .expected(format!("at most {before:?}"))
            .came(format!("{self:?}"))
    }
}

fn returns_to(before: Resources, server: &Server) -> CaseResult {
    eventually(server.timeout(), || {
        let now = Resources::of(server.process()?)?;
        let back = now.descriptors <= before.descriptors
            && now.threads <= before.threads;
        if back { Ok(()) } else { Err(now.more_than(before)) }
    })
}

/// Fails: a thread that waits for a client that is gone.
fn gives_back_the_descriptors_of_all_who_leave(server: &Server) -> CaseResult {
    returns_after(server, |mut client, round| match round % 4 {
        0 => client.send(b"half a line"),
        1 => client.ask(b"ping\n", b"pong\n"),
        2 => client.half_close(),
        _ => Ok(()),
    })
}

/// Fails: an error or a hang-up after which nobody calls `close`, as in the
/// article's epoll server.
fn gives_back_the_descriptors_of_all_who_reset(server: &Server) -> CaseResult {
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
    let before = Resources::after_one_client(server)?;
    for round in 0..100 {
        visit(server.connect()?, round)?;
    }
    returns_to(before, server)
}

fn gives_back_what_300_connections_took(server: &Server) -> CaseResult {
    let before = Resources::after_one_client(server)?;
    let mut clients = server.connect_many(300)?;
    for client in &mut clients {
        client.ask(b"ping\n", b"pong\n")?;
    }
    drop(clients);
    returns_to(before, server)
}

/// Fails: a buffer that grows until the newline comes.
fn keeps_nothing_of_a_line_of_16_megabytes(server: &Server) -> CaseResult {
    const MOST_KIB: usize = 4_096;
    let mut client = server.connect()?;
    client.exchange(times(100_000, b"a"), TOO_LONG)?;
    let process = server.process()?;
    let before = process.resident_kib()?;
    // The second line's bytes are all read by the time its reply is there.
    client.exchange(
        [b"\n", &times(16 << 20, b"a")[..], b"\nping\n"].concat(),
        &[TOO_LONG, b"pong\n"].concat(),
    )?;
    let grown = process.resident_kib()?.saturating_sub(before);
    if grown <= MOST_KIB {
        return Ok(());
    }
    Err(CaseError::new("the server keeps a line that it will not answer")
        .sent("16 MB without a newline")
        .expected(format!("at most {MOST_KIB} KiB more"))
        .came(format!("{grown} KiB more")))
}

/// Fails: a loop that asks to be told when it may write, and always may.
fn stays_calm_with_idle_clients(server: &Server) -> CaseResult {
    let mut clients = server.connect_many(3)?;
    clients[0].ask(b"ping\n", b"pong\n")?;
    stays_idle(server.process()?)?;
    clients[0].ask(b"ping\n", b"pong\n")
}
