//! Reading what a process prints, and never holding it up.
//!
//! A pipe holds 64 KiB. A process that prints more than its reader reads waits
//! in `write`, and a test that waits for that process waits with it. So a
//! thread reads each pipe to its end, whatever the test is doing.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Deadline, StdoutReader};

/// What a reader that sips takes at once, how often, and its rest after each.
const CHUNK: usize = 4_096;
const CHUNKS: usize = 30;
const REST: Duration = Duration::from_millis(80);
/// Keep no more than this of what was printed.
const KEPT: usize = 1 << 20;

/// What a process has printed on one of its two outputs so far.
#[derive(Debug)]
pub struct Output {
    shared: Arc<Shared>,
    /// Holds the reading thread's result: a pipe that is open and unread.
    _reader: JoinHandle<Option<Box<dyn Read + Send>>>,
}

#[derive(Debug, Default)]
struct Shared {
    so_far: Mutex<SoFar>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SoFar {
    text: Vec<u8>,
    lines: usize,
    ended: bool,
}

impl Output {
    /// Starts to read `pipe` in the manner of `reader`.
    pub(crate) fn of(
        pipe: impl Read + Send + 'static,
        reader: StdoutReader,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let there = Arc::clone(&shared);
        let reading = move || read(Box::new(pipe), reader, &there);
        Self { shared, _reader: thread::spawn(reading) }
    }

    /// All that was printed so far, up to the first megabyte.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.so_far().text).into_owned()
    }

    /// Whether nothing more will be read of it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.shared.so_far().ended
    }

    /// How many lines were printed so far.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.shared.so_far().lines
    }

    /// Waits until what was printed fulfils `condition`, or no more can come,
    /// or `timeout` ends. Gives what was printed, whichever it was.
    #[must_use]
    pub fn wait_for(
        &self,
        timeout: Duration,
        condition: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Deadline::after(timeout);
        let mut so_far = self.shared.so_far();
        loop {
            let text = String::from_utf8_lossy(&so_far.text).into_owned();
            let left = deadline.remaining().filter(|_| !so_far.ended);
            let Some(left) = left.filter(|_| !condition(&text)) else {
                return text;
            };
            so_far = self
                .shared
                .changed
                .wait_timeout(so_far, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for the first line and gives it without its newline, or what
    /// there was of it when `timeout` ended.
    #[must_use]
    pub fn first_line(&self, timeout: Duration) -> String {
        let text = self.wait_for(timeout, |text| text.contains('\n'));
        text.lines().next().unwrap_or_default().to_owned()
    }
}

impl Shared {
    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, bytes: &[u8]) {
        let mut so_far = self.so_far();
        let room = KEPT - so_far.text.len();
        so_far.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        so_far.lines += bytes.iter().filter(|&&b| b == b'\n').count();
        self.changed.notify_all();
    }

    fn end(&self) {
        self.so_far().ended = true;
        self.changed.notify_all();
    }
}

/// The life of a reading thread. What it returns stays open, and unread, for as
/// long as the thread's handle is held.
fn read(
    mut pipe: Box<dyn Read + Send>,
    reader: StdoutReader,
    shared: &Shared,
) -> Option<Box<dyn Read + Send>> {
    let size = if reader == StdoutReader::Slow { CHUNK } else { 64 << 10 };
    let mut buffer = vec![0; size];
    let mut reads = 0;
    loop {
        match pipe.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(count) => shared.add(&buffer[..count]),
        }
        reads += 1;
        let enough = match reader {
            StdoutReader::Prompt => false,
            StdoutReader::Slow => reads == CHUNKS,
            _ => shared.so_far().lines > 0,
        };
        if enough {
            break;
        }
        if reader == StdoutReader::Slow {
            thread::sleep(REST);
        }
    }
    shared.end();
    matches!(reader, StdoutReader::Stalls | StdoutReader::Slow).then_some(pipe)
}
