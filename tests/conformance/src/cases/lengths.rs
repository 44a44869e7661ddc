//! Protocol: a line has at most 1,000 bytes.

use super::helpers::{TOO_LONG, echo, times};
use crate::case::{Case, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Protocol, Protocol, accepts_a_line_of_1000_bytes),
    case!(Protocol, Protocol, does_not_count_the_line_end),
    case!(Protocol, Protocol, says_once_that_a_line_is_too_long),
    case!(Protocol, Protocol, finds_the_limit_in_a_line_that_comes_in_pieces),
    case!(Protocol, Protocol, goes_on_after_a_line_longer_than_its_buffer),
    case!(Protocol, Protocol, goes_on_after_a_line_of_four_megabytes),
    case!(Protocol, Protocol, says_so_if_a_line_too_long_never_ends),
];

fn line(length: usize, end: &[u8]) -> Vec<u8> {
    [&times(length, b"x"), end].concat()
}

/// Fails: a buffer of 1,000 bytes that is to hold the newline as well.
fn accepts_a_line_of_1000_bytes(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for length in [998, 999, 1_000] {
        client.ask(&line(length, b"\n"), &echo(&times(length, b"x")))?;
    }
    Ok(())
}

/// Fails: a limit that is applied before the `\r` is taken off.
fn does_not_count_the_line_end(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(&line(1_000, b"\r\n"), &echo(&times(1_000, b"x")))?;
    client.ask(&line(1_001, b"\r\n"), TOO_LONG)?;
    client.ask(&line(1_000, b"\r\r\n"), TOO_LONG)
}

/// Fails: a line cut into two of 1,000 bytes, or cut off and answered.
fn says_once_that_a_line_is_too_long(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for length in [1_001, 1_002, 2_000, 2_001] {
        client.send(&line(length, b"\n"))?;
        client.ask(b"ping\n", &[TOO_LONG, b"pong\n"].concat())?;
    }
    Ok(())
}

/// Fails: a length that is counted per `recv` and not per line; a `\r` that
/// came as the last byte and proved no part of a line end.
fn finds_the_limit_in_a_line_that_comes_in_pieces(
    server: &Server,
) -> CaseResult {
    let mut client = server.connect()?;
    for (first, second, reply) in [
        (line(999, b""), &b"x\n"[..], echo(&times(1_000, b"x"))),
        (line(999, b""), b"xx\n", TOO_LONG.to_vec()),
        (line(1_000, b"\r"), b"\n", echo(&times(1_000, b"x"))),
        (line(1_000, b"\r"), b"x\n", TOO_LONG.to_vec()),
        (line(1_000, b"\r"), b"\r\n", TOO_LONG.to_vec()),
    ] {
        // The `pong` tells that the first piece has been read: it came with it.
        client.ask(&[b"ping\n", &first[..]].concat(), b"pong\n")?;
        client.ask(second, &reply)?;
    }
    Ok(())
}

/// Fails: one `recv` for each event of an edge-triggered epoll. What the buffer
/// could not hold stays in the kernel, and no further event tells of it.
fn goes_on_after_a_line_longer_than_its_buffer(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for length in [3_000, 65_536, 300_000] {
        client
            .ask(&line(length, b"\nping\n"), &[TOO_LONG, b"pong\n"].concat())?;
    }
    Ok(())
}

/// Fails: a buffer that grows with the line, or is searched anew each time.
fn goes_on_after_a_line_of_four_megabytes(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.exchange(line(4 << 20, b"\nping\n"), &[TOO_LONG, b"pong\n"].concat())
}

/// Fails: an error that waits for a newline, or that comes again at the end.
fn says_so_if_a_line_too_long_never_ends(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.send(&line(5_000, b""))?;
    client.half_close()?;
    client.expect(TOO_LONG)?;
    client.expect_end()
}
