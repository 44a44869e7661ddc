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
    answers_at_the_end(server, b"ping", b"pong\n")?;
    answers_at_the_end(server, b"hello", &echo(b"hello"))?;
    let replies = [b"pong\n", &echo(b"hel")[..]].concat();
    answers_at_the_end(server, b"ping\nhel", &replies)
}

fn answers_at_the_end(
    server: &Server,
    text: &[u8],
    replies: &[u8],
) -> CaseResult {
    let mut client = server.connect()?;
    client.send(text)?;
    client.half_close()?;
    client.expect(replies)?;
    client.expect_end()
}

/// Fails: a `\r` before the end that is taken for a byte of the line.
fn answers_a_last_line_that_ends_in_half_a_line_end(
    server: &Server,
) -> CaseResult {
    answers_at_the_end(server, b"ping\r", b"pong\n")?;
    answers_at_the_end(server, b"\r", &echo(b""))
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
    let lines = times(12_000, b"\n");
    answers_at_the_end(server, &lines, &echo(b"").repeat(12_000))
}

/// Fails: an event loop to which a hang-up matters more than what came before.
fn gives_the_last_reply_when_the_end_comes_with_it(
    server: &Server,
) -> CaseResult {
    (0..50).try_for_each(|_| answers_at_the_end(server, b"ping\n", b"pong\n"))
}
