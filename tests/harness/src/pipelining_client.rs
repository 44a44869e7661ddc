//! A client with a thread of its own, which never stops asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use crate::receive::ReadEnd;
use crate::{CaseError, Client, shown};

/// Asks for so many lines at once, waits for their replies, and asks again,
/// until the server ends the connection.
#[derive(Debug)]
pub struct PipeliningClient {
    window: usize,
    counts: Arc<Counts>,
    thread: JoinHandle<Result<(), CaseError>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Lines of which every byte was sent.
    sent: AtomicUsize,
    /// Replies of which every byte came.
    answered: AtomicUsize,
}

impl PipeliningClient {
    /// Begins, with `window` lines in flight.
    #[must_use]
    pub fn start(client: Client, window: usize) -> Self {
        let counts = Arc::new(Counts::default());
        let there = Arc::clone(&counts);
        let thread = thread::spawn(move || talk(client, window, &there));
        Self { window, counts, thread }
    }

    /// The number of lines sent so far.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.counts.sent.load(SeqCst)
    }

    /// The number of replies that have come so far.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.counts.answered.load(SeqCst)
    }

    /// Whether it has sent all that it may, and no reply has come.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.answered() + self.window == self.sent()
    }

    /// Waits for the server to end the connection, and gives the number of
    /// lines that were answered.
    ///
    /// # Errors
    /// A reply was torn, wrong, or never came.
    pub fn end(self) -> Result<usize, CaseError> {
        let panicked = |_| Err(CaseError::new("the client panicked"));
        self.thread.join().unwrap_or_else(panicked)?;
        Ok(self.counts.answered.load(SeqCst))
    }
}

fn talk(
    mut client: Client,
    window: usize,
    counts: &Counts,
) -> Result<(), CaseError> {
    let mut first = 0;
    loop {
        let numbers = || first..first + window;
        let lines: String = numbers().map(|n| format!("line {n}\n")).collect();
        if client.send(lines.as_bytes()).is_ok() {
            counts.sent.fetch_add(window, SeqCst);
        }
        // Where it could not be sent, some of it may have been.
        let replies: String =
            numbers().map(|n| format!("受信しました: line {n}\n")).collect();
        let count = listen(&client, replies.as_bytes())?;
        counts.answered.fetch_add(count, SeqCst);
        if count < window {
            return Ok(());
        }
        first += window;
    }
}

/// The number of `replies` that came, in order, before the connection ended.
fn listen(client: &Client, replies: &[u8]) -> Result<usize, CaseError> {
    let right = |bytes: &[u8]| replies.starts_with(bytes);
    let received = client.receive(replies.len(), right);
    let bytes = &received.bytes;
    let whole = bytes.is_empty() || bytes.ends_with(b"\n");
    let ended = matches!(received.end, ReadEnd::End | ReadEnd::Broken(_));
    if right(bytes) && whole && (ended || bytes.len() == replies.len()) {
        return Ok(bytes.iter().filter(|&&byte| byte == b'\n').count());
    }
    Err(CaseError::new("a reply is torn, wrong or missing")
        .expected(shown(replies))
        .came(received.to_string()))
}
