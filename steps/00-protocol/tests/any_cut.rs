//! However TCP cuts the stream, the replies are the same: tried with random
//! conversations, cut at random, against a model that never sees a cut.

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::{Conversation, Framer, MAX_LINE_LENGTH};

/// The protocol in the plainest words: all of the input is there at once.
fn model(input: &[u8]) -> Vec<u8> {
    let mut lines: Vec<_> = input.split(|&byte| byte == b'\n').collect();
    // What stands behind the last newline is a line if it is anything.
    if lines.last().is_some_and(|rest| rest.is_empty()) {
        lines.pop();
    }
    lines.into_iter().flat_map(reply).collect()
}

fn reply(line: &[u8]) -> Vec<u8> {
    let line = match line {
        [line @ .., b'\r'] => line,
        line => line,
    };
    if line.len() > 1_000 {
        "エラー: 1行は1000バイトまでです\n".into()
    } else if matches!(
        line,
        [b'p' | b'P', b'i' | b'I', b'n' | b'N', b'g' | b'G']
    ) {
        b"pong\n".into()
    } else {
        ["受信しました: ".as_bytes(), line, b"\n"].concat()
    }
}

/// What a server answers to these pieces, each from one `recv`.
fn replies<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut replies = Vec::new();
    let mut conversation = Conversation::default();
    for piece in pieces {
        conversation.feed(piece, &mut replies, |_, _| {});
    }
    conversation.finish(&mut replies, |_, _| {});
    replies
}

/// `input`, cut at these places (anywhere, in any order, even twice).
fn cut<'a>(input: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> =
        places.iter().map(|place| place.index(input.len() + 1)).collect();
    places.push(input.len());
    places.sort_unstable();
    let mut from = 0;
    let piece = |to| &input[std::mem::replace(&mut from, to)..to];
    places.into_iter().map(piece).collect()
}

/// Conversations in which the hard places are common: line ends of both kinds,
/// pings, lines near the limit, bytes that are no text.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => Just(b"\n".to_vec()),
        3 => Just(b"\r\n".to_vec()),
        3 => Just(b"\r".to_vec()),
        4 => "[pP][iI][nN][gG]".prop_map(String::into_bytes),
        3 => (MAX_LINE_LENGTH - 2..=MAX_LINE_LENGTH + 3).prop_map(|n| vec![b'x'; n]),
        1 => (2_000..6_000_usize).prop_map(|n| vec![b'y'; n]),
        2 => vec(any::<u8>(), 0..20),
        1 => Just(b"\0".to_vec()),
        1 => Just(b"\xff\xfe\xe5\x8f".to_vec()),
        1 => Just("受信".as_bytes().to_vec()),
    ];
    vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a_whole_conversation_is_answered_as_in_the_model(
        input in conversation(),
    ) {
        prop_assert_eq!(replies([&input[..]]), model(&input));
    }

    #[test]
    fn any_cut_of_a_conversation_is_answered_the_same(
        input in conversation(),
        places in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        prop_assert_eq!(replies(cut(&input, &places)), model(&input));
    }

    #[test]
    fn byte_by_byte_is_answered_the_same(input in conversation()) {
        prop_assert_eq!(replies(input.chunks(1)), model(&input));
    }

    #[test]
    fn lines_are_answered_before_the_end_of_input(input in conversation()) {
        let whole_lines =
            input.iter().rposition(|&byte| byte == b'\n').map_or(0, |n| n + 1);
        let mut early = Vec::new();
        Conversation::default().feed(&input, &mut early, |_, _| {});
        prop_assert!(early.starts_with(&model(&input[..whole_lines])));
        prop_assert!(model(&input).starts_with(&early));
    }

    #[test]
    fn memory_stays_bounded(
        input in conversation(),
        places in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut framer = Framer::default();
        for piece in cut(&input, &places) {
            framer.feed(piece, |_| {});
            prop_assert!(kept(&framer).is_some_and(|n| n <= MAX_LINE_LENGTH + 1));
            if piece.ends_with(b"\n") {
                prop_assert_eq!(kept(&framer), Some(0));
            }
        }
    }
}

/// The number of bytes that `framer` keeps: its `Debug` shows each of them.
fn kept(framer: &Framer) -> Option<usize> {
    let text = format!("{framer:?}");
    let (list, _) = text.split_once('[')?.1.split_once(']')?;
    Some(list.split_terminator(", ").count())
}
