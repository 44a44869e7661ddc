//! Framing: where does a message end?
//!
//! One `recv` may bring half a line, or three lines and a half. A [`Framer`]
//! takes the pieces as they come and gives whole lines back.

use memchr::memchr;

/// The longest line in bytes, its terminator (`\n` or `\r\n`) not counted.
pub const MAX_LINE: usize = 1_000;

/// One message, as cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The bytes of a line, without its terminator.
    Line(&'a [u8]),
    /// A line had more than [`MAX_LINE`] bytes. Reported once for the line,
    /// as soon as that is certain; the rest of the line is dropped.
    TooLong,
}

impl<'a> Frame<'a> {
    /// Reads what stood before a `\n`: one `\r` there belongs to the
    /// terminator, since telnet ends its lines with `\r\n`.
    // ANCHOR: frame
    fn of(line: &'a [u8]) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_LINE { Self::TooLong } else { Self::Line(line) }
    }
    // ANCHOR_END: frame
}

/// Cuts a stream of bytes into lines, however TCP cut it into pieces.
///
/// It keeps at most [`MAX_LINE`] + 1 bytes, whatever the peer sends.
// ANCHOR: framer
#[derive(Debug, Default)]
pub struct Framer {
    /// The line so far, where its end has not come yet. Never one that is
    /// already too long.
    partial: Vec<u8>,
    /// The rest of a line that was too long is still arriving.
    skipping: bool,
}

impl Framer {
    /// Takes the next `input` from the stream and calls `found` for each line
    /// that ends in it, in order.
    pub fn feed(&mut self, mut input: &[u8], mut found: impl FnMut(Frame<'_>)) {
        while let Some(end) = memchr(b'\n', input) {
            self.complete(&input[..end], &mut found);
            input = &input[end + 1..];
        }
        self.keep(input, &mut found);
    }

    /// The stream has ended: a last line without its `\n` still counts.
    pub fn finish(&mut self, mut found: impl FnMut(Frame<'_>)) {
        if !self.partial.is_empty() {
            self.complete(b"", &mut found);
        }
    }
    // ANCHOR_END: framer

    /// `rest` is the end of a line, up to its `\n`.
    // ANCHOR: complete
    fn complete(&mut self, rest: &[u8], found: &mut impl FnMut(Frame<'_>)) {
        if std::mem::take(&mut self.skipping) {
            return;
        }
        if self.partial.is_empty() {
            // The usual case: the whole line lies in the input. No copy.
            return found(Frame::of(rest));
        }
        // Two bytes past the limit tell as surely as a megabyte.
        let enough = rest.len().min(MAX_LINE + 2);
        self.partial.extend_from_slice(&rest[..enough]);
        found(Frame::of(&self.partial));
        // An idle connection should not hold a buffer.
        self.partial = Vec::new();
    }
    // ANCHOR_END: complete

    /// `rest` is the start or the middle of a line: its `\n` is yet to come.
    // ANCHOR: keep
    fn keep(&mut self, rest: &[u8], found: &mut impl FnMut(Frame<'_>)) {
        if self.skipping || rest.is_empty() {
            return;
        }
        let length = self.partial.len() + rest.len();
        // A `\r` in the last place may yet prove part of the terminator.
        let limit = MAX_LINE + usize::from(rest.ends_with(b"\r"));
        if length > limit {
            self.partial = Vec::new();
            self.skipping = true;
            return found(Frame::TooLong);
        }
        self.partial.extend_from_slice(rest);
    }
    // ANCHOR_END: keep
}
