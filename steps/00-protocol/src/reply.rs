//! One line in, one reply out.

use crate::{Frame, Framer};

/// The reply to `ping`, in any ASCII case.
pub const PONG: &[u8] = b"pong\n";

/// What precedes the line when it comes back. On the wire it is Japanese
/// ("received: ") whatever the locale: a protocol does not depend on it.
pub const ECHO: &[u8] = "受信しました: ".as_bytes();

/// The reply to a line that is too long ("error: a line has at most 1000
/// bytes").
pub const TOO_LONG: &[u8] = "エラー: 1行は1000バイトまでです\n".as_bytes();

/// Appends the reply to `frame` to `replies`, its `\n` included.
pub fn reply(frame: Frame<'_>, replies: &mut Vec<u8>) {
    match frame {
        Frame::Line(line) if line.eq_ignore_ascii_case(b"ping") => {
            replies.extend_from_slice(PONG);
        }
        Frame::Line(line) => {
            replies.extend_from_slice(ECHO);
            // Bytes are bytes: a NUL or broken UTF-8 goes back as it came.
            replies.extend_from_slice(line);
            replies.push(b'\n');
        }
        Frame::TooLong => replies.extend_from_slice(TOO_LONG),
    }
}

/// One client's side of the protocol: bytes in, replies out.
#[derive(Debug, Default)]
pub struct Conversation {
    framer: Framer,
}

impl Conversation {
    /// Takes what one `recv` brought and appends the replies to all lines that
    /// it completes. `on_reply` gets each line with its reply.
    pub fn feed(
        &mut self,
        input: &[u8],
        replies: &mut Vec<u8>,
        on_reply: impl FnMut(Frame<'_>, &[u8]),
    ) {
        self.framer.feed(input, append_to(replies, on_reply));
    }

    /// The input has ended: an unfinished last line is answered too, so that
    /// `printf ping | nc -N 127.0.0.1 8888` prints `pong`.
    pub fn finish(
        &mut self,
        replies: &mut Vec<u8>,
        on_reply: impl FnMut(Frame<'_>, &[u8]),
    ) {
        self.framer.finish(append_to(replies, on_reply));
    }
}

fn append_to(
    replies: &mut Vec<u8>,
    mut on_reply: impl FnMut(Frame<'_>, &[u8]),
) -> impl FnMut(Frame<'_>) {
    move |frame| {
        let start = replies.len();
        reply(frame, replies);
        on_reply(frame, &replies[start..]);
    }
}
