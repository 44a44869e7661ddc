//! A peer that remembers what it sent, and says what came.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

use crate::excerpt::difference;
use crate::receive::{Received, Stop, timed_out};
use crate::{Failure, Hose, Outcome, shown};

/// How long to look for something that must not come.
const QUIET: Duration = Duration::from_millis(20);
/// A server that takes no byte for so long waits for us.
const STALL: Duration = Duration::from_millis(500);
/// The size of our own two buffers where they are to fill up soon.
const SMALL: usize = 64 << 10;
/// Remember no more than this of what was sent.
const REMEMBERED: usize = 4_096;

/// One connection to the server under test. None of its functions waits longer
/// than its patience.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    patience: Duration,
    sent: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there, or the handshake takes too long.
    pub fn connect(
        address: SocketAddr,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let connect = || {
            let stream = TcpStream::connect_timeout(&address, patience)?;
            // Each `send` is to leave at once, as a segment of its own.
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(patience))?;
            Ok::<_, io::Error>(stream)
        };
        let failed = format!("cannot connect to {address}");
        let stream = connect().map_err(Failure::of(&failed))?;
        Ok(Self { stream, patience, sent: Vec::new() })
    }

    /// This end's address.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        self.stream.local_addr().map_err(Failure::of("getsockname"))
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The connection is gone, or the server takes no more bytes.
    pub fn send(&mut self, bytes: &[u8]) -> Outcome {
        self.remember(bytes);
        let sent = (&self.stream).write_all(bytes);
        sent.map_err(|error| self.not_taken(&error))
    }

    /// The next bytes must be `expected`.
    ///
    /// # Errors
    /// Others came, or too few before the end, a reset, or silence.
    pub fn expect(&mut self, expected: &[u8]) -> Outcome {
        let received =
            self.receive(expected.len(), |bytes| expected.starts_with(bytes));
        if received.bytes == expected {
            return Ok(());
        }
        let (expected, came) = difference(expected, &received.bytes);
        Err(Failure::new("the reply is not the expected one")
            .sent(shown(&self.sent))
            .expected(expected)
            .came(received.told(&came)))
    }

    /// Sends `line`, its newline included, and expects `reply`.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn ask(&mut self, line: &[u8], reply: &[u8]) -> Outcome {
        self.send(line)?;
        self.expect(reply)
    }

    /// Sends `bytes` and, at the same time, expects `replies`: more of both
    /// than the buffers between two programs hold.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn exchange(&mut self, bytes: Vec<u8>, replies: &[u8]) -> Outcome {
        let sending = self.send_meanwhile(bytes)?;
        let outcome = self.expect(replies);
        if outcome.is_err() {
            // Wakes the sending thread.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        let sent = sending.join().unwrap_or(Ok(()));
        outcome.and(sent.map_err(|error| self.not_taken(&error)))
    }

    /// Sends `bytes` from a thread of its own while this one goes on. It ends
    /// when all is sent or the connection is over.
    ///
    /// # Errors
    /// No descriptor is left for the thread.
    pub fn send_meanwhile(
        &mut self,
        bytes: Vec<u8>,
    ) -> Result<JoinHandle<io::Result<()>>, Failure> {
        self.remember(&bytes);
        let mut stream = self.stream.try_clone().map_err(Failure::of("dup"))?;
        Ok(thread::spawn(move || stream.write_all(&bytes)))
    }

    /// Sends `bytes` again and again and reads nothing, until the server takes
    /// no more since its replies are stuck. Gives the number of bytes sent,
    /// which may end anywhere.
    ///
    /// # Errors
    /// The server takes more than `most` bytes: it has no back-pressure.
    pub fn fill(
        &mut self,
        bytes: &[u8],
        most: usize,
    ) -> Result<usize, Failure> {
        self.remember(bytes);
        setsockopt(&self.stream, sockopt::RcvBuf, &SMALL)
            .and_then(|()| setsockopt(&self.stream, sockopt::SndBuf, &SMALL))
            .map_err(Failure::of("setsockopt"))?;
        let mut sent = 0;
        while sent < most {
            match self.write_within(STALL, &bytes[sent % bytes.len()..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if timed_out(&error) => return Ok(sent),
                Err(error) => return Err(self.not_taken(&error)),
            }
        }
        Err(Failure::new("the server reads on while its replies are stuck")
            .sent(format!("{} again and again", shown(bytes)))
            .expected("a server that waits for its replies to be read")
            .came(format!("it took more than {most} bytes")))
    }

    /// Sends `bytes` again and again, and reads and forgets whatever comes.
    ///
    /// # Errors
    /// No descriptors are left.
    pub fn pour(self, bytes: Vec<u8>) -> Result<Hose, Failure> {
        Hose::new(self.stream, bytes).map_err(Failure::of("dup"))
    }

    /// The server must close the connection, and send nothing before that.
    ///
    /// # Errors
    /// More bytes came, or a reset, or nothing at all.
    pub fn expect_end(&mut self) -> Outcome {
        match self.receive(1, |_| true) {
            Received { stop: Stop::End, .. } => Ok(()),
            other => {
                Err(self.unexpected("the end of the stream (FIN)", &other))
            }
        }
    }

    /// Nothing may come: for a moment, since "never" cannot be tested.
    ///
    /// # Errors
    /// Something did.
    pub fn expect_quiet(&mut self) -> Outcome {
        match Received::from(&self.stream, QUIET, 1, |_| true) {
            Received { stop: Stop::Silence(_), .. } => Ok(()),
            other => Err(self.unexpected("nothing yet", &other)),
        }
    }

    /// Whether the server has closed the connection.
    ///
    /// # Errors
    /// Bytes came, or a reset.
    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        match Received::from(&self.stream, QUIET, 1, |_| true) {
            Received { stop: Stop::End, .. } => Ok(true),
            Received { stop: Stop::Silence(_), .. } => Ok(false),
            other => {
                Err(self.unexpected("the end of the stream (FIN)", &other))
            }
        }
    }

    /// All that comes up to the end, be that a FIN or a reset.
    ///
    /// # Errors
    /// The connection does not end.
    pub fn read_to_the_end(&mut self) -> Result<Vec<u8>, Failure> {
        let received = self.receive(usize::MAX, |_| true);
        match received.stop {
            Stop::Silence(_) => {
                Err(self.unexpected("the end of the connection", &received))
            }
            _ => Ok(received.bytes),
        }
    }

    /// Says that nothing more will be sent: a FIN. Replies can still come.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn half_close(&mut self) -> Outcome {
        self.stream.shutdown(Shutdown::Write).map_err(Failure::of("shutdown"))
    }

    /// Ends the connection with a reset (RST) instead of a FIN, as a peer does
    /// that has crashed. `man 7 socket`: `SO_LINGER` with 0 seconds.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn reset(self) -> Outcome {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&self.stream, sockopt::Linger, &at_once)
            .map_err(Failure::of("setsockopt(SO_LINGER)"))
    }

    fn receive(&self, count: usize, right: impl Fn(&[u8]) -> bool) -> Received {
        Received::from(&self.stream, self.patience, count, right)
    }

    fn write_within(&self, time: Duration, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(time))?;
        let count = (&self.stream).write(bytes);
        self.stream.set_write_timeout(Some(self.patience))?;
        count
    }

    fn remember(&mut self, bytes: &[u8]) {
        let room = REMEMBERED.saturating_sub(self.sent.len());
        self.sent.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn unexpected(&self, expected: &str, received: &Received) -> Failure {
        Failure::new("the server does something else than it should")
            .sent(shown(&self.sent))
            .expected(expected)
            .came(received.to_string())
    }

    fn not_taken(&self, error: &io::Error) -> Failure {
        Failure::new(format!("the server does not take what is sent: {error}"))
            .sent(shown(&self.sent))
    }
}
