//! Printing that never stops the service.
//!
//! `write` to a terminal or a pipe blocks while nobody reads: Ctrl-S in the
//! terminal, or a `| less` that waits, and a server that prints each message
//! stands still for all of its clients. So the lines are collected, written
//! when the server is about to wait anyway, and dropped (with a count) where
//! their reader has stalled.
//!
//! One thing `poll` cannot tell: how much a terminal takes whose other end has
//! hung, a lost `ssh` for one. That stops a server that is not `--quiet`.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use memchr::{memchr, memchr_iter, memrchr};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::unistd::write;

use crate::{Failure, Language, Message};

/// How long a reader may take, in milliseconds, before its lines are dropped.
const PATIENCE_MS: u8 = 100;
/// A pipe that is ready takes so many bytes at once, all or none of them, and
/// without blocking: `PIPE_BUF`. `man 7 pipe`.
const PIECE: usize = 4_096;
/// Collect no more than this many bytes before writing.
const FULL: usize = 64 * 1_024;

/// Where a server's lines go. Each thread has its own; a line is never torn by
/// another's.
#[derive(Debug)]
pub struct Log {
    language: Language,
    quiet: bool,
    lines: Vec<u8>,
}

impl Log {
    /// A log in the language of the environment. A `quiet` one prints no line
    /// per message and per connection.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self::with_language(quiet, Language::from_environment())
    }

    fn with_language(quiet: bool, language: Language) -> Self {
        Self { language, quiet, lines: Vec::new() }
    }

    /// A log of the same kind, for another thread.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::with_language(self.quiet, self.language)
    }

    /// Notes what happened to a message or to a connection.
    // ANCHOR: print
    pub fn print(&mut self, message: Message<'_>) {
        if !self.quiet {
            self.announce(message);
        }
    }

    /// Notes what concerns the whole server, even where it is quiet.
    pub fn announce(&mut self, message: Message<'_>) {
        // Writing to a Vec cannot fail.
        let _ = writeln!(self.lines, "{}", message.in_language(self.language));
        if self.lines.len() >= FULL {
            self.flush();
        }
    }

    /// Writes what was noted. To be called before any wait.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            STDOUT.write(&self.lines, self.language, io::stdout());
            self.lines.clear();
        }
    }
    // ANCHOR_END: print

    /// Says on stderr that a connection ended with an error.
    pub fn warn(&mut self, failure: &Failure) {
        if !self.quiet {
            self.alarm(failure);
        }
    }

    /// Says on stderr what concerns the whole server, even where it is quiet.
    pub fn alarm(&mut self, failure: &Failure) {
        let line = format!("{}\n", failure.in_language(self.language));
        STDERR.write(line.as_bytes(), self.language, io::stderr());
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

static STDOUT: Output = Output::new();
static STDERR: Output = Output::new();

/// One of the process's two outputs, shared by its threads.
struct Output {
    /// The number of lines lost since the reader stalled; `None` while it
    /// keeps up.
    lost: Mutex<Option<usize>>,
}

impl Output {
    const fn new() -> Self {
        Self { lost: Mutex::new(None) }
    }

    // ANCHOR: write
    fn write(&self, lines: &[u8], language: Language, to: impl AsFd) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        // Once for each stall: who was too slow is not waited for again.
        let mut patience = if lost.is_some() { 0 } else { PATIENCE_MS };
        let mut rest = lines;
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(whole_lines(rest));
            rest = later;
            // One look for each call: there may be room for one, not for two.
            if let Some(lines) = *lost
                && writable(&to, 0)
            {
                let note = Message::Lost(lines).in_language(language);
                write_all(&to, format!("{note}\n").as_bytes());
                *lost = None;
            }
            if lost.is_none() && writable(&to, patience) {
                write_all(&to, piece);
            } else {
                let lines = memchr_iter(b'\n', piece).count();
                *lost = Some(lost.unwrap_or(0) + lines);
                patience = 0;
            }
        }
    }
    // ANCHOR_END: write
}

/// The length of the whole lines that fit into a piece, or of the first line if
/// not even that one does: no line of ours is so long.
fn whole_lines(lines: &[u8]) -> usize {
    memrchr(b'\n', &lines[..lines.len().min(PIECE)])
        .or_else(|| memchr(b'\n', lines))
        .map_or(lines.len(), |at| at + 1)
}

/// Whether a write of up to [`PIECE`] bytes would not block. A signal ends the
/// wait: no. `man 2 poll`.
fn writable(to: &impl AsFd, patience_ms: u8) -> bool {
    let mut asked = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    poll(&mut asked, patience_ms).is_ok_and(|ready| ready > 0)
}

/// A reader that has gone away is its own loss: an error ends the attempt, and
/// we go on.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(to, bytes) {
            Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => return,
            Ok(count) => bytes = &bytes[count..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_of_whole_lines() {
        let line = [&[b'x'; 999][..], b"\n"].concat();
        assert_eq!(whole_lines(&line.repeat(2)), 2_000);
        assert_eq!(whole_lines(&line.repeat(9)), 4_000);
    }

    #[test]
    fn the_longest_line_is_a_piece() {
        let bytes = [0xff; crate::MAX_LINE];
        let reply = [crate::ECHO, &bytes, b"\n"].concat();
        for language in [Language::Japanese, Language::English] {
            let line = Message::Sent(&reply).in_language(language).to_string();
            assert!(line.len() < PIECE, "{}", line.len());
        }
    }
}
