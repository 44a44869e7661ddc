//! Faulty servers: where a message ends, and what is kept until it does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::server::{Connection, Line, Result, Server, TOO_LONG, text};
use super::{FaultyServer, Right};

/// The article's, and every tutorial's in which an `echo` of what one `recv`
/// brought stands for a protocol: one `recv` is taken for one message.
struct OneRecv;

impl Server for OneRecv {
    fn feed(&self, _: &mut Line, input: &[u8], replies: &mut Vec<u8>) {
        self.reply(text(input), replies);
    }
}

pub(super) const ONE_RECV: FaultyServer = FaultyServer {
    name: "one-recv-for-one-message",
    chapter: "00-protocol",
    fault: "takes one recv for one message",
    server: &OneRecv,
    fails: &[
        "answers_200000_pipelined_pings",
        "answers_a_thousand_lines_of_one_write_in_order",
        "answers_an_empty_line",
        "answers_an_unfinished_last_line",
        "answers_every_line_of_one_write",
        "answers_long_lines_as_fast_as_they_come",
        "does_not_count_the_line_end",
        "finds_the_limit_in_a_line_that_comes_in_pieces",
        "gives_all_replies_after_a_half_close",
        "gives_the_same_replies_wherever_the_cut_is",
        "goes_on_after_a_line_longer_than_its_buffer",
        "goes_on_after_a_line_of_four_megabytes",
        "keeps_nothing_of_a_line_of_48_megabytes",
        "serves_others_beside_a_slow_reader",
        "reads_a_conversation_byte_by_byte",
        "reassembles_a_ping_split_across_writes",
        "says_once_that_a_line_is_too_long",
        "says_so_if_a_line_too_long_never_ends",
        "stops_reading_from_a_client_that_never_reads",
        "tears_no_reply_when_it_ends_under_load",
        "tears_no_stuck_reply_when_it_ends",
        "keeps_a_client_that_reads_slowly",
    ],
    may_fail: &["gives_each_of_100_clients_its_own_replies"],
};

/// The article's, and every C program's that makes a string of what `recv`
/// brought: `strcspn`, `strcasecmp` and `%s` end at the first NUL.
struct CutAtNul;

impl Server for CutAtNul {
    fn reply(&self, line: &[u8], replies: &mut Vec<u8>) {
        let string = line.split(|&byte| byte == 0).next().unwrap_or(line);
        Right.reply(string, replies);
    }
}

pub(super) const CUT_AT_NUL: FaultyServer = FaultyServer {
    name: "line-cut-at-a-nul",
    chapter: "00-protocol",
    fault: "ends a line at the first zero byte",
    server: &CutAtNul,
    fails: &[
        "does_not_cut_a_line_at_a_nul",
        "gives_the_same_replies_wherever_the_cut_is",
        "sends_every_byte_back_unchanged",
    ],
    may_fail: &[],
};

/// `String::from_utf8_lossy(&buffer).trim_end_matches('\0')`, as in many a first
/// server in Rust: not the `n` bytes that were read, but those and the rest of
/// what the buffer held before.
struct WholeBuffer;

impl Server for WholeBuffer {
    fn received<'a>(&self, buffer: &'a [u8], _: usize) -> &'a [u8] {
        let end = buffer.iter().rposition(|&byte| byte != 0);
        &buffer[..end.map_or(0, |last| last + 1)]
    }
}

pub(super) const WHOLE_BUFFER: FaultyServer = FaultyServer {
    name: "rest-of-the-buffer-used",
    chapter: "00-protocol",
    fault: "answers the buffer, not the n bytes read",
    server: &WholeBuffer,
    fails: &[
        "answers_a_last_line_that_ends_in_half_a_line_end",
        "finds_the_limit_in_a_line_that_comes_in_pieces",
        "gives_all_replies_after_a_half_close",
        "gives_each_of_100_clients_its_own_replies",
        "gives_the_same_replies_wherever_the_cut_is",
        "goes_on_after_a_stop",
        "keeps_replies_to_a_reset_client_from_the_next",
        "keeps_the_connection_for_the_next_line",
        "serves_others_beside_a_client_that_never_reads",
        "serves_others_beside_a_silent_client",
        "serves_others_beside_a_slow_reader",
        "sends_any_other_line_back",
        "sends_every_byte_back_unchanged",
        "stops_reading_from_a_client_that_never_reads",
        "strips_one_carriage_return_and_no_more",
        "tears_no_stuck_reply_when_it_ends",
    ],
    may_fail: &[
        "answers_200000_pipelined_pings",
        "answers_long_lines_as_fast_as_they_come",
        "serves_others_beside_an_endless_sender",
        "reads_a_conversation_byte_by_byte",
        "says_once_that_a_line_is_too_long",
        "tears_no_reply_when_it_ends_under_load",
        "keeps_a_client_that_reads_slowly",
        "keeps_a_client_that_sent_while_it_was_stopped",
    ],
};

/// `BufRead::read_line`, and every framing that looks at the length of a line
/// once it is there: a peer that sends no newline fills the memory.
struct NoLimit;

impl Server for NoLimit {
    fn extend(&self, line: &mut Line, piece: &[u8], replies: &mut Vec<u8>) {
        line.bytes.extend_from_slice(piece);
        if piece.ends_with(b"\n") && text(&line.bytes).len() > 1_000 {
            line.too_long = true;
            replies.extend_from_slice(TOO_LONG);
        }
    }
}

pub(super) const NO_LIMIT: FaultyServer = FaultyServer {
    name: "line-kept-without-a-limit",
    chapter: "00-protocol",
    fault: "keeps a line however long it gets",
    server: &NoLimit,
    fails: &["keeps_nothing_of_a_line_of_48_megabytes"],
    may_fail: &[],
};

/// A line that is too long is reported, its buffer emptied, and what comes next
/// taken for a new line: which is too long again, or is answered.
struct LimitPerPiece;

impl Server for LimitPerPiece {
    fn extend(&self, line: &mut Line, piece: &[u8], replies: &mut Vec<u8>) {
        line.bytes.extend_from_slice(piece);
        line.too_long = text(&line.bytes).len() > 1_000;
        if line.too_long {
            line.bytes.clear();
            replies.extend_from_slice(TOO_LONG);
        }
    }
}

pub(super) const LIMIT_PER_PIECE: FaultyServer = FaultyServer {
    name: "too-long-said-per-piece",
    chapter: "00-protocol",
    fault: "forgets that it is skipping a long line",
    server: &LimitPerPiece,
    fails: &[
        "goes_on_after_a_line_longer_than_its_buffer",
        "goes_on_after_a_line_of_four_megabytes",
        "keeps_nothing_of_a_line_of_48_megabytes",
        "says_so_if_a_line_too_long_never_ends",
    ],
    may_fail: &[],
};

/// One buffer of replies for all clients, emptied where they have been sent:
/// those that could not be sent come to the next client.
struct LeftOver;

static REPLIES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn replies() -> MutexGuard<'static, Vec<u8>> {
    REPLIES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server for LeftOver {
    fn feed(&self, line: &mut Line, input: &[u8], _: &mut Vec<u8>) {
        Right.feed(line, input, &mut replies());
    }

    fn flush(&self, connection: &mut Connection) -> Result {
        connection.outbox.extend_from_slice(&replies());
        Right.flush(connection)?;
        replies().clear();
        Ok(())
    }
}

pub(super) const LEFT_OVER: FaultyServer = FaultyServer {
    name: "replies-of-a-broken-connection-kept",
    chapter: "02-threads",
    fault: "has one buffer of replies for all clients",
    server: &LeftOver,
    fails: &["keeps_replies_to_a_reset_client_from_the_next"],
    may_fail: &["serves_others_beside_an_endless_sender"],
};
