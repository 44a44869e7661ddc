//! Framing: where does a message end?
//!
//! One `recv` may bring half a line, or three lines and a half. A [`Framer`]
//! takes the pieces as they come and gives whole lines back.

use memchr::memchr;

/// The longest line in bytes, its terminator (`\n` or `\r\n`) not counted.
pub const MAX_LINE_LENGTH: usize = 1_000;

/// One message, as cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The bytes of a line, without its terminator.
    Line(&'a [u8]),
    /// A line had more than [`MAX_LINE_LENGTH`] bytes. Reported once for the
    /// line, as soon as that is certain; the rest of the line is dropped.
    TooLong,
}

impl<'a> Frame<'a> {
    /// Reads what came before a `\n`: one `\r` at its end belongs to the
    /// terminator, since telnet ends its lines with `\r\n`.
    fn parse(line: &'a [u8]) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_LINE_LENGTH {
            Self::TooLong
        } else {
            Self::Line(line)
        }
    }
}

/// Cuts a stream of bytes into lines. Between two calls it keeps at most
/// [`MAX_LINE_LENGTH`] + 1 bytes, whatever the peer sends.
#[derive(Debug, Default)]
pub struct Framer {
    /// The line so far, where its end has not come yet. Never one that is
    /// already too long.
    partial: Vec<u8>,
    /// The rest of a line that was too long is still arriving.
    discarding: bool,
}

impl Framer {
    /// Takes the next `input` from the stream and calls `on_line` for each line
    /// that ends in it, in order.
    pub fn feed(
        &mut self,
        mut input: &[u8],
        mut on_line: impl FnMut(Frame<'_>),
    ) {
        while let Some(end) = memchr(b'\n', input) {
            self.end_line(&input[..end], &mut on_line);
            input = &input[end + 1..];
        }
        self.extend_line(input, &mut on_line);
    }

    /// The stream has ended: a last line without its `\n` still counts.
    pub fn finish(&mut self, mut on_line: impl FnMut(Frame<'_>)) {
        if !self.partial.is_empty() {
            self.end_line(b"", &mut on_line);
        }
    }

    /// `rest` is the end of a line, up to its `\n`.
    fn end_line(&mut self, rest: &[u8], on_line: &mut impl FnMut(Frame<'_>)) {
        if std::mem::take(&mut self.discarding) {
            return;
        }
        if self.partial.is_empty() {
            // The usual case: the whole line lies in the input. No copy.
            return on_line(Frame::parse(rest));
        }
        self.partial.extend_from_slice(rest);
        on_line(Frame::parse(&self.partial));
        // An idle connection should not hold a buffer.
        self.partial = Vec::new();
    }

    /// `rest` is the start or the middle of a line: its `\n` is yet to come.
    fn extend_line(
        &mut self,
        rest: &[u8],
        on_line: &mut impl FnMut(Frame<'_>),
    ) {
        if self.discarding || rest.is_empty() {
            return;
        }
        let length = self.partial.len() + rest.len();
        // A `\r` in the last place may yet prove part of the terminator.
        let limit = MAX_LINE_LENGTH + usize::from(rest.ends_with(b"\r"));
        if length > limit {
            self.partial = Vec::new();
            self.discarding = true;
            return on_line(Frame::TooLong);
        }
        self.partial.extend_from_slice(rest);
    }
}
