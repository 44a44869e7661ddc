//! Process: things that happen at once, so that one turn finds all of them.
//!
//! Left to chance they meet once in a thousand times. A server that is stopped
//! meets them all when it goes on.

use harness::Signal::{SIGCONT, SIGTERM};

use super::helpers::{Stalled, echo, times};
use crate::case::{Case, Requirement, case};
use harness::{CaseError, CaseResult, Server, shown};

pub(super) const CASES: &[Case] = &[
    case!(Process, Epoll, accepts_the_next_client_when_it_fills_as_one_leaves)
        .needs(&[
            Requirement::OwnProcess,
            Requirement::ManyClients,
            Requirement::Option("--max-connections"),
        ])
        .options(&["--max-connections", "2"]),
    case!(Process, Blocking, keeps_replies_to_a_reset_client_from_the_next)
        .needs(&[Requirement::OwnProcess]),
    case!(Process, Threads, tears_no_stuck_reply_when_it_ends)
        .needs(&[Requirement::OwnProcess])
        .ends_the_server(),
];

/// Fails: an edge-triggered server that leaves a client in the queue as it is
/// full, has room again in the same turn, and so sees no reason to ask anew.
fn accepts_the_next_client_when_it_fills_as_one_leaves(
    server: &Server,
) -> CaseResult {
    let process = server.process()?;
    let mut first = server.connect()?;
    first.ask(b"ping\n", b"pong\n")?;
    process.stop()?;
    let mut later = server.connect_many(2)?;
    // The news of those two come first, and then that of its end.
    first.half_close()?;
    first.has_arrived()?;
    process.signal(SIGCONT)?;
    for client in &mut later {
        client.ask(b"ping\n", b"pong\n")?;
    }
    Ok(())
}

/// Fails: a buffer of replies that all clients share, and that is not emptied
/// when they could not be sent.
fn keeps_replies_to_a_reset_client_from_the_next(
    server: &Server,
) -> CaseResult {
    let process = server.process()?;
    for _ in 0..3 {
        let mut broken = server.connect()?;
        broken.ask(b"ping\n", b"pong\n")?;
        process.stop()?;
        // What was sent can be read still; no reply can be sent any more.
        broken.send(&times(100, b"a secret\n"))?;
        broken.reset()?;
        // By the time this is connected the reset has arrived as well.
        let mut next = server.connect()?;
        process.signal(SIGCONT)?;
        next.ask(b"hello\n", &echo(b"hello"))?;
        next.half_close()?;
        next.expect_end()?;
    }
    Ok(())
}

/// Fails: `exit`, or a `close`, while a part of a reply waits to be sent. Its
/// client reads on only now; what it gets must end with a whole reply.
fn tears_no_stuck_reply_when_it_ends(server: &Server) -> CaseResult {
    let Stalled { mut client, replies, .. } = Stalled::new(server)?;
    let process = server.process()?;
    process.signal(SIGTERM)?;
    let came = client.read_to_the_end()?;
    drop(client);
    // The last may be to a line of which only a part had come.
    let end = came.len().saturating_sub(1);
    let last = came[..end].iter().rposition(|&byte| byte == b'\n');
    let whole = &came[..last.map_or(0, |newline| newline + 1)];
    if came.ends_with(b"\n") && replies.starts_with(whole) {
        return process.has_ended_in_order();
    }
    Err(CaseError::new("a reply is torn")
        .sent("many lines, then SIGTERM")
        .expected("nothing but whole replies")
        .came(shown(&came)))
}
