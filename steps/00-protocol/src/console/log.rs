//! Printing that never stops the service.
//!
//! `write` to a terminal or a pipe blocks while its reader does not read, as
//! after Ctrl-S. So lines are collected, written when the server is about to
//! wait anyway, and dropped (with a count) while the reader stalls or is slow.
//!
//! `poll` cannot know how much a terminal takes whose other end hangs, as that
//! of a lost `ssh`. It stops a server that is not `--quiet`.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};

use crate::{Error, Frame, Language, Message};

/// How long a write may wait for a reader that stalls, in milliseconds.
const STALL_TIMEOUT_MS: u8 = 100;
/// All waits together may take a tenth of the time, and at once a tenth of this.
const WAIT_PERIOD: Duration = Duration::from_secs(5);
/// A pipe that is ready takes so many bytes at once, all or none of them, and
/// without blocking. `man 7 pipe`. No line of ours is so long.
const PIPE_BUF: usize = 4_096;

/// What all threads share. One lock: stdout and stderr may be one pipe (`2>&1`),
/// and room for one write is not room for two.
static SHARED: Mutex<Shared> =
    Mutex::new(Shared { dropped: [0; 2], waited_until: None });

struct Shared {
    /// Lines dropped since the reader of stdout, or of stderr, stalled.
    dropped: [usize; 2],
    /// When all waits so far will have taken a tenth of the time.
    waited_until: Option<Instant>,
}

/// Where a server's lines go. Each thread has its own, and no line is torn.
#[derive(Debug)]
pub struct Log {
    /// Whether to print no line per message and per connection.
    pub quiet: bool,
    language: Language,
    lines: String,
}

impl Log {
    /// A log in the language of the environment.
    pub fn new(quiet: bool) -> Self {
        let language = Language::from_environment();
        Self { quiet, language, lines: String::new() }
    }

    /// Notes what happened to a message or to a connection.
    pub fn info(&mut self, message: Message<'_>) {
        if !self.quiet {
            self.notice(message);
        }
    }

    /// Notes what concerns the whole server, even where it is quiet.
    pub fn notice(&mut self, message: Message<'_>) {
        let line = message.text(self.language) + "\n";
        // One write is to take all lines, or none.
        if self.lines.len() + line.len() > PIPE_BUF {
            self.flush();
        }
        self.lines += &line;
    }

    /// Notes a line and its reply.
    pub fn exchange(&mut self, line: Frame<'_>, reply: &[u8]) {
        self.info(Message::Received(line));
        self.info(Message::Sent(reply));
    }

    /// Writes what was noted. To be called before any wait.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.write(&self.lines, io::stdout(), 0);
            self.lines.clear();
        }
    }

    /// Says on stderr that a connection ended with an error.
    pub fn warn(&mut self, error: &Error) {
        if !self.quiet {
            self.error(error);
        }
    }

    /// Says on stderr what concerns the whole server, even where it is quiet.
    pub fn error(&mut self, error: &Error) {
        let line = error.text(self.language) + "\n";
        self.write(&line, io::stderr(), 1);
    }

    /// Writes whole lines, or counts them as dropped while the reader stalls.
    /// An error drops them too: the reader is gone (EPIPE), or the disk is full.
    fn write(&self, lines: &str, mut to: impl Write + AsFd, output: usize) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let Shared { dropped, waited_until } = &mut *shared;
        let dropped = &mut dropped[output];
        // One `poll` for each write: there may be room for one, not for two.
        if *dropped > 0 && writable(&to, 0) {
            let line = Message::Dropped(*dropped).text(self.language) + "\n";
            let _ = to.write_all(line.as_bytes());
            *dropped = 0;
        }
        if *dropped == 0 && (writable(&to, 0) || wait(&to, waited_until)) {
            let _ = to.write_all(lines.as_bytes());
        } else {
            *dropped += lines.lines().count();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Waits until `to` is writable, unless too much of the time went into that.
fn wait(to: &impl AsFd, until: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let from = until.map_or(now, |until| until.max(now));
    let ready = from < now + WAIT_PERIOD && writable(to, STALL_TIMEOUT_MS);
    *until = Some(from + now.elapsed() * 10);
    ready
}

/// Whether a write of up to [`PIPE_BUF`] bytes would not block. A signal ends
/// the wait: no. `man 2 poll`.
fn writable(to: &impl AsFd, timeout_ms: u8) -> bool {
    let mut fds = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, timeout_ms).is_ok_and(|ready| ready > 0)
}
