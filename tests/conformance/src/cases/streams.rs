//! Protocol: however TCP cuts the stream, the replies are the same.

use super::helpers::{echo, times};
use crate::case::{Case, case};
use harness::{CaseResult, Server};

pub(super) const CASES: &[Case] = &[
    case!(Protocol, Protocol, reassembles_a_ping_split_across_writes),
    case!(Protocol, Protocol, answers_every_line_of_one_write),
    case!(Protocol, Protocol, gives_the_same_replies_wherever_the_cut_is),
    case!(Protocol, Protocol, reads_a_conversation_byte_by_byte),
    case!(Protocol, Protocol, answers_a_thousand_lines_of_one_write_in_order),
    case!(Protocol, Epoll, answers_200000_pipelined_pings),
    case!(Protocol, Epoll, answers_long_lines_as_fast_as_they_come),
];

/// Fails: one `recv` taken for one message.
fn reassembles_a_ping_split_across_writes(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.send(b"pi")?;
    client.is_read()?;
    client.expect_quiet()?;
    client.ask(b"ng\n", b"pong\n")
}

/// Fails: one `recv` taken for one message. The article's servers answer the
/// first line and lose the rest.
fn answers_every_line_of_one_write(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    let replies = [b"pong\npong\n", &echo(b"hello")[..]].concat();
    client.ask(b"ping\nping\nhello\n", &replies)
}

/// Fails: any mistake in what is kept from one `recv` to the next.
fn gives_the_same_replies_wherever_the_cut_is(server: &Server) -> CaseResult {
    let conversation = b"ping\r\n\nhello\0\r\r\nPING\nbye\n";
    let replies: [(usize, Vec<u8>); 5] = [
        (6, b"pong\n".to_vec()),
        (7, echo(b"")),
        (16, echo(b"hello\0\r")),
        (21, b"pong\n".to_vec()),
        (25, echo(b"bye")),
    ];
    for cut in 0..conversation.len() {
        let (first, second) = conversation.split_at(cut);
        // Only what ends before the cut may be answered before the rest comes.
        let (early, late): (Vec<_>, Vec<_>) =
            replies.iter().cloned().partition(|(end, _)| *end <= cut);
        let join = |replies: Vec<(usize, Vec<u8>)>| {
            replies.into_iter().flat_map(|(_, reply)| reply).collect::<Vec<_>>()
        };
        let mut client = server.connect()?;
        // The `pong` tells that the piece behind it has been read, too.
        let early = [b"pong\n".to_vec(), join(early)].concat();
        client.ask(&[b"ping\n", first].concat(), &early)?;
        client.ask(second, &join(late))?;
    }
    Ok(())
}

/// Fails: a byte that is taken for a message; a `\r` that is taken for the end
/// of a line before the next byte is there.
fn reads_a_conversation_byte_by_byte(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    for byte in b"ping\r" {
        client.send(&[*byte])?;
        client.expect_quiet()?;
    }
    client.ask(b"\n", b"pong\n")?;
    for byte in "受信 and a longer line\nping\n".bytes() {
        client.send(&[byte])?;
    }
    client.expect(&echo("受信 and a longer line".as_bytes()))?;
    client.expect(b"pong\n")
}

/// Fails: replies that overtake each other, or a buffer for just some of them.
fn answers_a_thousand_lines_of_one_write_in_order(
    server: &Server,
) -> CaseResult {
    let (mut lines, mut replies) = (Vec::new(), Vec::new());
    for number in 0..1_000 {
        let line = number.to_string();
        lines.extend_from_slice(format!("{line}\n").as_bytes());
        replies.extend_from_slice(&echo(line.as_bytes()));
    }
    server.connect()?.ask(&lines, &replies)
}

/// Fails: a partial write whose rest is dropped; a server that reads on while
/// its replies pile up.
fn answers_200000_pipelined_pings(server: &Server) -> CaseResult {
    let mut client = server.connect()?;
    client.exchange(times(200_000, b"ping\n"), &times(200_000, b"pong\n"))
}

/// Fails: the same, with replies longer than what is sent.
fn answers_long_lines_as_fast_as_they_come(server: &Server) -> CaseResult {
    let line = times(999, b"y");
    let lines = [&line[..], b"\n"].concat().repeat(4_000);
    server.connect()?.exchange(lines, &echo(&line).repeat(4_000))
}
