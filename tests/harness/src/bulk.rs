//! More than the buffers between two programs hold.
//!
//! A program that only sends, while the other does the same, waits without end:
//! each for the other to read. So these send in one thread and read in another,
//! or find out when the server has stopped reading.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

use crate::receive::timed_out;
use crate::{CaseError, CaseResult, Client, EndlessSender, shown};

/// A server that takes no byte for so long waits for us.
const STALL: Duration = Duration::from_millis(500);
/// A server that is busy for so many times as long spins.
const MOST_STALLS: u32 = 6;
/// The size of our own two buffers where they are to fill up soon.
const SMALL: usize = 64 << 10;

impl Client {
    /// Sends `bytes` and, at the same time, expects `replies`: more of both
    /// than the buffers between two programs hold.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn exchange(&mut self, bytes: Vec<u8>, replies: &[u8]) -> CaseResult {
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
    ) -> Result<JoinHandle<io::Result<()>>, CaseError> {
        self.remember(&bytes);
        let mut stream =
            self.stream.try_clone().map_err(CaseError::of("dup"))?;
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
    ) -> Result<usize, CaseError> {
        self.fill_unless(bytes, most, || false)
    }

    /// The same, where we can see whether a server that takes nothing is `busy`:
    /// it would like to run, and other programs do not let it.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn fill_unless(
        &mut self,
        bytes: &[u8],
        most: usize,
        busy: impl Fn() -> bool,
    ) -> Result<usize, CaseError> {
        self.remember(bytes);
        setsockopt(&self.stream, sockopt::RcvBuf, &SMALL)
            .and_then(|()| setsockopt(&self.stream, sockopt::SndBuf, &SMALL))
            .map_err(CaseError::of("setsockopt"))?;
        let (mut sent, mut stalls) = (0, 0);
        while sent < most {
            match self.write_within(STALL, &bytes[sent % bytes.len()..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if timed_out(&error) => {
                    stalls += 1;
                    if stalls == MOST_STALLS || !busy() {
                        return Ok(sent);
                    }
                }
                Err(error) => return Err(self.not_taken(&error)),
            }
        }
        Err(CaseError::new("the server reads on while its replies are stuck")
            .sent(format!("{} again and again", shown(bytes)))
            .expected("a server that waits for its replies to be read")
            .came(format!("it took more than {most} bytes")))
    }

    /// Sends `bytes` again and again, and reads and forgets whatever comes.
    ///
    /// # Errors
    /// No descriptors are left.
    pub fn pour(self, bytes: Vec<u8>) -> Result<EndlessSender, CaseError> {
        EndlessSender::new(self.stream, bytes).map_err(CaseError::of("dup"))
    }

    fn write_within(&self, time: Duration, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(time))?;
        let count = (&self.stream).write(bytes);
        self.stream.set_write_timeout(Some(self.timeout))?;
        count
    }
}
