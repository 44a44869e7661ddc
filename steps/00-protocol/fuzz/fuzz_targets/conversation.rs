//! However a stream is cut, and whatever is in it: the replies are those of the
//! naive server that waits for all of the input and then splits it into lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::{Conversation, ECHO, MAX_LINE_LENGTH, PONG, TOO_LONG};

// The first bytes say how to cut: each is the length of a piece, 0 ends them.
fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&b| b == 0).unwrap_or(data.len());
    let (cuts, rest) = data.split_at(end);
    let input = rest.get(1..).unwrap_or_default();

    let mut conversation = Conversation::default();
    let mut replies = Vec::new();
    let mut left = input;
    for &cut in cuts.iter().cycle().take(if cuts.is_empty() { 0 } else { input.len() }) {
        // Long pieces too, so that the limit of a line falls inside them.
        let (piece, after) = left.split_at(left.len().min(usize::from(cut) * 5));
        conversation.feed(piece, &mut replies, |_, _| {});
        left = after;
    }
    conversation.feed(left, &mut replies, |_, _| {});
    conversation.finish(&mut replies, |_, _| {});

    assert_eq!(replies, naive(input));
});

fn naive(input: &[u8]) -> Vec<u8> {
    let mut replies = Vec::new();
    let mut lines: Vec<&[u8]> = input.split(|&b| b == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_LINE_LENGTH {
            replies.extend_from_slice(TOO_LONG);
        } else if line.eq_ignore_ascii_case(b"ping") {
            replies.extend_from_slice(PONG);
        } else {
            replies.extend_from_slice(ECHO);
            replies.extend_from_slice(line);
            replies.push(b'\n');
        }
    }
    replies
}
