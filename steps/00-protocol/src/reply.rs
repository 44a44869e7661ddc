//! One line in, one reply out.

use crate::Frame;

/// The reply to `ping`, in any ASCII case.
pub const PONG: &[u8] = b"pong\n";

/// What stands before the line when it comes back. On the wire it is Japanese
/// for everybody ("received: "): a protocol does not ask for the locale.
pub const ECHO: &[u8] = "受信しました: ".as_bytes();

/// The reply to a line of more than [`MAX_LINE`](crate::MAX_LINE) bytes
/// ("error: a line has at most 1000 bytes").
pub const TOO_LONG: &[u8] = "エラー: 1行は1000バイトまでです\n".as_bytes();

/// Appends the reply to `frame` to `replies`, its `\n` included.
// ANCHOR: answer
pub fn answer(frame: Frame<'_>, replies: &mut Vec<u8>) {
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
// ANCHOR_END: answer
