//! All that a server remembers of one client: the line that is still coming.

use crate::{Frame, Framer, Log, Message, answer};

/// One client's side of the protocol: bytes in, replies out.
///
/// It does no input or output of its own, so the same conversation serves a
/// blocking socket, a thread, and an event loop.
// ANCHOR: conversation
#[derive(Debug, Default)]
pub struct Conversation {
    framer: Framer,
}

impl Conversation {
    /// Takes what one `recv` brought and appends the replies to all lines that
    /// it completes.
    pub fn hear(&mut self, input: &[u8], replies: &mut Vec<u8>, log: &mut Log) {
        self.framer.feed(input, |frame| exchange(frame, replies, log));
    }

    /// The client sent its FIN: an unfinished last line is answered too, so
    /// that `printf ping | nc -N 127.0.0.1 8888` prints `pong`.
    pub fn end(&mut self, replies: &mut Vec<u8>, log: &mut Log) {
        self.framer.finish(|frame| exchange(frame, replies, log));
    }
}

fn exchange(frame: Frame<'_>, replies: &mut Vec<u8>, log: &mut Log) {
    let start = replies.len();
    answer(frame, replies);
    log.print(Message::Received(frame));
    log.print(Message::Sent(&replies[start..]));
}
// ANCHOR_END: conversation
