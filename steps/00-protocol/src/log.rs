//! Printing that never stops the service.
//!
//! `write` to a terminal or a pipe blocks while nobody reads: Ctrl-S in the
//! terminal, or a `| less` that waits, and a server that prints each message
//! stands still for all of its clients. So the lines are collected, written
//! when the server is about to wait anyway, and dropped (with a count) where
//! their reader has stalled.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use nix::poll::{PollFd, PollFlags, poll};

use crate::{Failure, Language, Message};

/// How long a reader may take, in milliseconds, before its lines are dropped.
const PATIENCE_MS: u8 = 100;
/// A pipe that is ready takes this many bytes at once without blocking: one
/// page. `man 7 pipe`.
const CHUNK: usize = 4_096;
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
    fn write(&self, bytes: &[u8], language: Language, to: impl Write + AsFd) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let mut to = to;
        for chunk in bytes.chunks(CHUNK) {
            let patience = if lost.is_some() { 0 } else { PATIENCE_MS };
            if !writable(&to, patience) {
                let lines = chunk.iter().filter(|&&b| b == b'\n').count();
                *lost = Some(lost.unwrap_or(0) + lines);
                continue;
            }
            if let Some(lines) = lost.take() {
                let message = Message::Lost(lines).in_language(language);
                let _ = writeln!(to, "{message}");
            }
            // A reader that has gone away is its own loss: we go on.
            let _ = to.write_all(chunk);
        }
        let _ = to.flush();
    }
    // ANCHOR_END: write
}

/// Whether a write of up to [`CHUNK`] bytes would not block. `man 2 poll`.
fn writable(to: &impl AsFd, patience_ms: u8) -> bool {
    let mut asked = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    poll(&mut asked, patience_ms) != Ok(0)
}
