//! A client whose bytes never end.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};

use crate::{CaseError, CaseResult};

/// Sends without end in one thread and reads, in another, whatever comes.
#[derive(Debug)]
pub struct EndlessSender {
    stream: TcpStream,
    sending: JoinHandle<io::Result<()>>,
    reading: JoinHandle<io::Result<u64>>,
}

impl EndlessSender {
    pub(crate) fn new(stream: TcpStream, bytes: Vec<u8>) -> io::Result<Self> {
        stream.set_read_timeout(None)?;
        let (mut into, mut from) = (stream.try_clone()?, stream.try_clone()?);
        Ok(Self {
            stream,
            sending: thread::spawn(move || {
                loop {
                    into.write_all(&bytes)?;
                }
            }),
            reading: thread::spawn(move || {
                io::copy(&mut from, &mut io::sink())
            }),
        })
    }

    /// Stops, and says whether the bytes had flowed up to now.
    ///
    /// # Errors
    /// The server had ended the connection.
    pub fn stop(self) -> CaseResult {
        let flowing = !self.sending.is_finished();
        // Wakes both threads.
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.sending.join();
        let _ = self.reading.join();
        if flowing {
            Ok(())
        } else {
            Err(CaseError::new("the server cut off a client that sends much"))
        }
    }
}
