//! Protocol: one line in, one reply out, and bytes are bytes.

use super::helpers::echo;
use crate::case::{Case, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Protocol, Protocol, answers_ping_with_pong),
    case!(Protocol, Protocol, answers_ping_in_any_case),
    case!(Protocol, Protocol, sends_any_other_line_back),
    case!(Protocol, Protocol, answers_an_empty_line),
    case!(Protocol, Protocol, keeps_the_connection_for_the_next_line),
    case!(Protocol, Protocol, takes_a_telnet_line_end_for_a_line_end),
    case!(Protocol, Protocol, strips_one_carriage_return_and_no_more),
    case!(Protocol, Protocol, does_not_cut_a_line_at_a_nul),
    case!(Protocol, Protocol, sends_every_byte_back_unchanged),
];

fn answers_ping_with_pong(server: &Server) -> CaseResult {
    server.connect()?.ask(b"ping\n", b"pong\n")
}

/// Fails: a comparison of bytes.
fn answers_ping_in_any_case(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for line in [b"PING\n", b"Ping\n", b"pInG\n"] {
        client.ask(line, b"pong\n")?;
    }
    Ok(())
}

/// Fails: a search for `ping` in the line instead of a comparison with it.
fn sends_any_other_line_back(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for line in ["hello", "pingping", "ping ", " ping", "pin", "受信", "%s%n"]
    {
        client.ask(format!("{line}\n").as_bytes(), &echo(line.as_bytes()))?;
    }
    Ok(())
}

/// Fails: a tokenizer that takes several newlines for one.
fn answers_an_empty_line(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"\n", &echo(b""))?;
    client.ask(b"\n\r\n\n", &echo(b"").repeat(3))
}

/// Fails: a server that takes TCP for request and response, and closes.
fn keeps_the_connection_for_the_next_line(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for number in 0..100 {
        let line = format!("line {number}");
        client.ask(format!("{line}\n").as_bytes(), &echo(line.as_bytes()))?;
        client.ask(b"ping\n", b"pong\n")?;
    }
    Ok(())
}

/// Fails: a comparison of `ping\r` with `ping`.
fn takes_a_telnet_line_end_for_a_line_end(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"ping\r\n", b"pong\n")?;
    client.ask(b"hello\r\n", &echo(b"hello"))
}

/// Fails: a line cut at its first `\r`, as in the article, or trimmed.
fn strips_one_carriage_return_and_no_more(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"ping\r\r\n", &echo(b"ping\r"))?;
    client.ask(b"a\rb\n", &echo(b"a\rb"))?;
    client.ask(b"\rping\n", &echo(b"\rping"))?;
    client.ask(b"ping \t\r\n", &echo(b"ping \t"))
}

/// Fails: `strlen`, `strcasecmp` and `%s`, for which a NUL ends the line.
fn does_not_cut_a_line_at_a_nul(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.ask(b"ping\0\n", &echo(b"ping\0"))?;
    client.ask(b"\0ping\n", &echo(b"\0ping"))?;
    client.ask(b"a\0b\n", &echo(b"a\0b"))
}

/// Fails: a line that is made a string on its way, with U+FFFD for what is not
/// UTF-8, or that ends the connection.
fn sends_every_byte_back_unchanged(server: &Server) -> CaseResult {
    let all: Vec<u8> = (0..=u8::MAX).filter(|&byte| byte != b'\n').collect();
    let mut client = server.connect()?;
    for line in [&all[..], b"\xff\xfe\x80", b"\xe5\x8f", b"\x1b[2J\x07\x7f"] {
        client.ask(&[line, b"\n"].concat(), &echo(line))?;
    }
    Ok(())
}
