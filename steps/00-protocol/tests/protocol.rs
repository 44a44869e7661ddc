//! The protocol, sentence by sentence.

use protocol::{Conversation, ECHO, MAX_LINE_LENGTH, PONG, TOO_LONG};

/// The replies to `input`, before and at its end.
fn heard(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut conversation = Conversation::default();
    let (mut early, mut late) = (Vec::new(), Vec::new());
    conversation.feed(input, &mut early, |_, _| {});
    conversation.finish(&mut late, |_, _| {});
    (early, late)
}

fn answers(input: &[u8], expected: &[u8]) {
    let (early, late) = heard(input);
    let shown = input.escape_ascii();
    assert_eq!(early.escape_ascii().to_string(), text(expected), "{shown}");
    assert_eq!(text(&late), "", "at the end of {shown}");
}

fn answers_at_the_end(input: &[u8], expected: &[u8]) {
    let (early, late) = heard(input);
    let shown = input.escape_ascii();
    assert_eq!(text(&early), "", "before the end of {shown}");
    assert_eq!(text(&late), text(expected), "{shown}");
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn echo(line: &[u8]) -> Vec<u8> {
    [ECHO, line, b"\n"].concat()
}

fn line(length: usize) -> Vec<u8> {
    vec![b'x'; length]
}

#[test]
fn the_words_are_those_of_the_article() {
    assert_eq!(PONG, b"pong\n");
    assert_eq!(ECHO, "受信しました: ".as_bytes());
    assert_eq!(TOO_LONG, "エラー: 1行は1000バイトまでです\n".as_bytes());
    assert_eq!(MAX_LINE_LENGTH, 1_000);
}

#[test]
fn ping_in_any_ascii_case_is_answered_with_pong() {
    for ping in ["ping\n", "PING\n", "pInG\n", "Ping\r\n"] {
        answers(ping.as_bytes(), PONG);
    }
}

#[test]
fn any_other_line_comes_back() {
    for other in ["hello", " ping", "ping ", "pingping", "pin", "ｐｉｎｇ"]
    {
        answers(format!("{other}\n").as_bytes(), &echo(other.as_bytes()));
    }
}

#[test]
fn an_empty_line_is_a_line() {
    answers(b"\n", &echo(b""));
    answers(b"\r\n", &echo(b""));
    answers(b"\n\n", &echo(b"").repeat(2));
}

#[test]
fn one_carriage_return_before_the_newline_belongs_to_it() {
    answers(b"a\r\n", &echo(b"a"));
    answers(b"a\r\r\n", &echo(b"a\r"));
    answers(b"ping\r\r\n", &echo(b"ping\r"));
    answers(b"a\rb\n", &echo(b"a\rb"));
}

#[test]
fn bytes_come_back_as_they_came() {
    for bytes in [&b"\0"[..], b"a\0ping", b"\xff\xfe", b"\x1b[2J\x07"] {
        answers(&[bytes, b"\n"].concat(), &echo(bytes));
    }
}

#[test]
fn a_line_of_1000_bytes_is_not_too_long() {
    answers(&[line(1_000), b"\n".into()].concat(), &echo(&line(1_000)));
    answers(&[line(1_000), b"\r\n".into()].concat(), &echo(&line(1_000)));
}

#[test]
fn a_line_of_1001_bytes_is_too_long_once_and_the_next_is_answered() {
    for (length, end) in [
        (1_001, "\n"),
        (1_001, "\r\n"),
        (1_000, "\r\r\n"),
        (2_002, "\n"),
        (1_000_000, "\n"),
    ] {
        let input = [&line(length), end.as_bytes(), b"ping\n"].concat();
        answers(&input, &[TOO_LONG, PONG].concat());
    }
}

#[test]
fn a_line_that_is_too_long_is_reported_before_its_end() {
    answers(&line(1_001), TOO_LONG);
    // The last byte could still belong to the line's end.
    answers_at_the_end(
        &[line(1_000), b"\r".into()].concat(),
        &echo(&line(1_000)),
    );
}

#[test]
fn a_thousand_lines_in_one_piece_are_answered_in_order() {
    let lines = (0..1_000).map(|n| format!("{n}\n")).collect::<String>();
    let replies = (0..1_000).flat_map(|n| echo(n.to_string().as_bytes()));
    answers(lines.as_bytes(), &replies.collect::<Vec<_>>());
}

#[test]
fn an_unfinished_last_line_is_answered_at_the_end() {
    answers_at_the_end(b"ping", PONG);
    answers_at_the_end(b"hello", &echo(b"hello"));
    answers_at_the_end(b"ping\r", PONG);
    answers_at_the_end(b"\r", &echo(b""));
}

#[test]
fn the_end_after_a_whole_line_says_nothing_more() {
    answers(b"", b"");
    answers(b"ping\n", PONG);
    answers(&[line(2_000), b"\n".into()].concat(), TOO_LONG);
}
