//! Protocol: the end of input.

use super::helpers::{echo, times};
use crate::case::{Case, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Protocol, Protocol, answers_an_unfinished_last_line),
    case!(Protocol, Protocol, answers_a_last_line_that_ends_in_half_a_line_end),
    case!(Protocol, Protocol, sends_nothing_more_after_a_clean_end),
    case!(Protocol, Protocol, closes_an_empty_connection_without_a_word),
    case!(Protocol, Blocking, gives_all_replies_after_a_half_close),
    case!(Protocol, Blocking, gives_the_last_reply_when_the_end_comes_with_it),
];

/// Fails: a reply lost at the end of input, or held back for a newline that
/// can no longer come.
fn answers_an_unfinished_last_line(server: &Server) -> CaseResult {
    for (text, reply) in [
        (&b"ping"[..], b"pong\n".to_vec()),
        (b"hello", echo(b"hello")),
        (b"ping\nhel", [b"pong\n", &echo(b"hel")[..]].concat()),
    ] {
        let mut client = server.connect()?;
        client.send(text)?;
        client.half_close()?;
        client.expect(&reply)?;
        client.expect_end()?;
    }
    Ok(())
}

/// Fails: a `\r` before the end that is taken for a byte of the line.
fn answers_a_last_line_that_ends_in_half_a_line_end(
    server: &Server,
) -> CaseResult {
    for (text, reply) in
        [(&b"ping\r"[..], b"pong\n".to_vec()), (b"\r", echo(b""))]
    {
        let mut client = server.connect()?;
        client.send(text)?;
        client.half_close()?;
        client.expect(&reply)?;
        client.expect_end()?;
    }
    Ok(())
}

/// Fails: the end of input taken for an empty line.
fn sends_nothing_more_after_a_clean_end(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    client.half_close()?;
    client.expect_end()
}

/// Fails: the same; a reset instead of a close.
fn closes_an_empty_connection_without_a_word(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.half_close()?;
    client.expect_end()
}

/// Fails: a connection that is closed as soon as its input ends, with replies
/// still unsent. 12,000 empty lines are 250 kB of replies.
fn gives_all_replies_after_a_half_close(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.send(&times(12_000, b"\n"))?;
    client.half_close()?;
    client.expect(&echo(b"").repeat(12_000))?;
    client.expect_end()
}

/// Fails: an event loop to which a hang-up matters more than what came before.
fn gives_the_last_reply_when_the_end_comes_with_it(
    server: &Server,
) -> CaseResult {
    for _ in 0..50 {
        let mut client = server.connect()?;
        client.send(b"ping\n")?;
        client.half_close()?;
        client.expect(b"pong\n")?;
        client.expect_end()?;
    }
    Ok(())
}
