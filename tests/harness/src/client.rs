//! A peer that remembers what it sent, and says what came.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

use crate::excerpt::difference;
use crate::receive::{ReadEnd, Received};
use crate::{CaseError, CaseResult, shown};

/// How long to look for something that must not come.
const QUIET: Duration = Duration::from_millis(20);
/// How many bytes of it to show.
const GLANCE: usize = 4_096;
/// Remember no more than this of what was sent.
const REMEMBERED: usize = 4_096;

/// One connection to the server under test. None of its functions waits longer
/// than its timeout.
#[derive(Debug)]
pub struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) timeout: Duration,
    /// The first bytes of what was sent, and how many there were in all.
    sent: Vec<u8>,
    total: usize,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// There is no listener, or the handshake takes too long.
    pub fn connect(
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Self, CaseError> {
        let failed = format!("cannot connect to {address}");
        let stream = TcpStream::connect_timeout(&address, timeout)
            .map_err(CaseError::of(&failed))?;
        Self::over(stream, timeout)
    }

    /// The client of a connection that is there already.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn over(
        stream: TcpStream,
        timeout: Duration,
    ) -> Result<Self, CaseError> {
        // Each `send` is to leave at once, as a segment of its own.
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(timeout)))
            .map_err(CaseError::of("setsockopt"))?;
        Ok(Self { stream, timeout, sent: Vec::new(), total: 0 })
    }

    /// This end's address.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn address(&self) -> Result<SocketAddr, CaseError> {
        self.stream.local_addr().map_err(CaseError::of("getsockname"))
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The connection is gone, or the server takes no more bytes.
    pub fn send(&mut self, bytes: &[u8]) -> CaseResult {
        self.remember(bytes);
        let sent = (&self.stream).write_all(bytes);
        sent.map_err(|error| self.not_taken(&error))
    }

    /// The next bytes must be `expected`.
    ///
    /// # Errors
    /// Others came, or too few before the end, a reset, or silence.
    pub fn expect(&mut self, expected: &[u8]) -> CaseResult {
        let mut received =
            self.receive(expected.len(), |bytes| expected.starts_with(bytes));
        if received.bytes == expected {
            return Ok(());
        }
        if matches!(received.end, ReadEnd::Enough) {
            // To see a wrong reply as a whole.
            received.bytes.extend(self.poll_once().bytes);
        }
        let (expected, came) = difference(expected, &received.bytes);
        Err(CaseError::new("the reply is not the expected one")
            .sent(self.all_sent())
            .expected(expected)
            .came(received.describe(&came)))
    }

    /// Sends `line`, its newline included, and expects `reply`.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn ask(&mut self, line: &[u8], reply: &[u8]) -> CaseResult {
        self.send(line)?;
        self.expect(reply)
    }

    /// The server must close the connection, and send nothing before that.
    ///
    /// # Errors
    /// More bytes came, or a reset, or nothing at all.
    pub fn expect_end(&mut self) -> CaseResult {
        match self.receive(GLANCE, <[u8]>::is_empty) {
            Received { end: ReadEnd::End, .. } => Ok(()),
            other => {
                Err(self.unexpected("the end of the stream (FIN)", &other))
            }
        }
    }

    /// Nothing may come: for a moment, since "never" cannot be tested.
    ///
    /// # Errors
    /// Something did.
    pub fn expect_quiet(&mut self) -> CaseResult {
        match self.poll_once() {
            Received { end: ReadEnd::Silence(_), .. } => Ok(()),
            other => Err(self.unexpected("nothing yet", &other)),
        }
    }

    /// Whether the server has closed the connection.
    ///
    /// # Errors
    /// Bytes came, or a reset.
    pub fn has_ended(&mut self) -> Result<bool, CaseError> {
        match self.poll_once() {
            Received { end: ReadEnd::End, .. } => Ok(true),
            Received { end: ReadEnd::Silence(_), .. } => Ok(false),
            other => {
                Err(self.unexpected("the end of the stream (FIN)", &other))
            }
        }
    }

    /// All that comes up to the end, be that a FIN or a reset.
    ///
    /// # Errors
    /// The connection does not end.
    pub fn read_to_the_end(&mut self) -> Result<Vec<u8>, CaseError> {
        let received = self.receive(usize::MAX, |_| true);
        match received.end {
            ReadEnd::Silence(_) => {
                Err(self.unexpected("the end of the connection", &received))
            }
            _ => Ok(received.bytes),
        }
    }

    /// Says that nothing more will be sent: a FIN. Replies can still come.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn half_close(&mut self) -> CaseResult {
        self.stream.shutdown(Shutdown::Write).map_err(CaseError::of("shutdown"))
    }

    /// Ends the connection with a reset (RST) instead of a FIN, as a peer does
    /// that has crashed. `man 7 socket`: `SO_LINGER` with 0 seconds.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn reset(self) -> CaseResult {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&self.stream, sockopt::Linger, &at_once)
            .map_err(CaseError::of("setsockopt(SO_LINGER)"))
    }

    /// What is there now, or very soon.
    fn poll_once(&self) -> Received {
        Received::from(&self.stream, QUIET, GLANCE, <[u8]>::is_empty)
    }

    /// Reads until there are `count` bytes, or `right` says of those so far
    /// that they are not right, or no more come.
    #[must_use]
    pub fn receive(
        &self,
        count: usize,
        right: impl Fn(&[u8]) -> bool,
    ) -> Received {
        Received::from(&self.stream, self.timeout, count, right)
    }

    pub(crate) fn remember(&mut self, bytes: &[u8]) {
        let room = REMEMBERED.saturating_sub(self.sent.len());
        self.sent.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.total += bytes.len();
    }

    fn all_sent(&self) -> String {
        let first = shown(&self.sent);
        if self.total == self.sent.len() {
            first
        } else {
            format!("{first}, and on: {} bytes in all", self.total)
        }
    }

    fn unexpected(&self, expected: &str, received: &Received) -> CaseError {
        CaseError::new("the server does something else than it should")
            .sent(self.all_sent())
            .expected(expected)
            .came(received.to_string())
    }

    pub(crate) fn not_taken(&self, error: &io::Error) -> CaseError {
        CaseError::new(format!(
            "the server does not take what is sent: {error}"
        ))
        .sent(self.all_sent())
    }
}
