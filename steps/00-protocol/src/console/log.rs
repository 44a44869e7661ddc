//! Printing that never stops the service.
//!
//! `write` to a terminal or a pipe blocks while its reader does not read:
//! Ctrl-S in the terminal, or a `| less` that waits, and a server that prints
//! each message serves no client. So the lines are collected, written when the
//! server is about to wait anyway, and dropped (with a count) while the reader
//! stalls.
//!
//! `poll` cannot know how much a terminal takes whose other end hangs, as that
//! of a lost `ssh`. It stops a server that is not `--quiet`.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use memchr::{memchr, memchr_iter, memrchr};
use nix::poll::{PollFd, PollFlags, poll};

use crate::{Error, Frame, Language, Localized, Message};

/// How long a write may wait for a reader that stalls, in milliseconds.
const STALL_TIMEOUT_MS: u8 = 100;
/// A pipe that is ready takes so many bytes at once, all or none of them, and
/// without blocking. `man 7 pipe`.
const PIPE_BUF: usize = 4_096;
/// Collect no more than this many bytes before writing.
const BUFFER_SIZE: usize = 65_536;

/// Lines dropped since the reader of stdout, or of stderr, stalled.
static STDOUT_DROPPED: Mutex<usize> = Mutex::new(0);
static STDERR_DROPPED: Mutex<usize> = Mutex::new(0);

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
    pub fn new(quiet: bool) -> Self {
        let language = Language::from_environment();
        Self { language, quiet, lines: Vec::new() }
    }

    /// A log of the same kind, for another thread.
    pub fn for_thread(&self) -> Self {
        Self { lines: Vec::new(), ..*self }
    }

    /// Whether it prints no line per message and per connection.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Notes what happened to a message or to a connection.
    // ANCHOR: info
    pub fn info(&mut self, message: Message<'_>) {
        if !self.quiet {
            self.notice(message);
        }
    }

    /// Notes what concerns the whole server, even where it is quiet.
    pub fn notice(&mut self, message: Message<'_>) {
        // Writing to a Vec cannot fail.
        let _ = writeln!(self.lines, "{}", Localized(message, self.language));
        if self.lines.len() >= BUFFER_SIZE {
            self.flush();
        }
    }

    /// Notes a line and its reply.
    pub fn exchange(&mut self, line: Frame<'_>, reply: &[u8]) {
        self.info(Message::Received(line));
        self.info(Message::Sent(reply));
    }

    /// Writes what was noted. To be called before any wait.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            let dropped = &STDOUT_DROPPED;
            write_lines(&self.lines, self.language, io::stdout(), dropped);
            self.lines.clear();
        }
    }
    // ANCHOR_END: info

    /// Says on stderr that a connection ended with an error.
    pub fn warn(&mut self, error: &Error) {
        if !self.quiet {
            self.error(error);
        }
    }

    /// Says on stderr what concerns the whole server, even where it is quiet.
    pub fn error(&mut self, error: &Error) {
        let line = format!("{}\n", Localized(error, self.language));
        let dropped = &STDERR_DROPPED;
        write_lines(line.as_bytes(), self.language, io::stderr(), dropped);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Writes whole lines, or counts them in `dropped` while the reader stalls. An
/// error drops them too: the reader is gone (EPIPE), or the disk is full.
// ANCHOR: write
fn write_lines(
    lines: &[u8],
    language: Language,
    mut to: impl Write + AsFd,
    dropped: &Mutex<usize>,
) {
    let mut dropped = dropped.lock().unwrap_or_else(PoisonError::into_inner);
    // Wait at most once.
    let mut timeout = STALL_TIMEOUT_MS;
    let mut rest = lines;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(whole_lines(rest));
        rest = later;
        // One `poll` for each write: there may be room for one, not for two.
        if *dropped > 0 && writable(&to, 0) {
            let _ = writeln!(
                to,
                "{}",
                Localized(Message::Dropped(*dropped), language)
            );
            *dropped = 0;
        }
        if *dropped == 0 && writable(&to, timeout) {
            let _ = to.write_all(piece);
        } else {
            *dropped += memchr_iter(b'\n', piece).count();
            timeout = 0;
        }
    }
}
// ANCHOR_END: write

/// The length of the whole lines that fit into [`PIPE_BUF`], or of the first
/// line if not even that one does: no line of ours is so long.
fn whole_lines(lines: &[u8]) -> usize {
    memrchr(b'\n', &lines[..lines.len().min(PIPE_BUF)])
        .or_else(|| memchr(b'\n', lines))
        .map_or(lines.len(), |at| at + 1)
}

/// Whether a write of up to [`PIPE_BUF`] bytes would not block. A signal ends
/// the wait: no. `man 2 poll`.
fn writable(to: &impl AsFd, timeout_ms: u8) -> bool {
    let mut fds = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, timeout_ms).is_ok_and(|ready| ready > 0)
}

/// Prints `text` at once. `println!` would panic where it is not read.
///
/// # Errors
/// ENOSPC where stdout is a file on a full disk. EPIPE is not among them: the
/// reader, such as `head -1`, has read enough. `man 2 write`.
// ANCHOR: print
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
// ANCHOR_END: print
