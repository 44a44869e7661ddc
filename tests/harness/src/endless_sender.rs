//! A client whose bytes never end.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

use crate::{CaseError, CaseResult};

/// When so many bytes of replies have come, much is on its way.
pub const FLOWING: usize = 256 << 10;

/// Sends without end in one thread and reads, in another, whatever comes.
#[derive(Debug)]
pub struct EndlessSender {
    stream: TcpStream,
    sending: JoinHandle<io::Result<()>>,
    reading: JoinHandle<()>,
    received: Arc<AtomicUsize>,
}

impl EndlessSender {
    pub(crate) fn new(stream: TcpStream, bytes: Vec<u8>) -> io::Result<Self> {
        stream.set_read_timeout(None)?;
        let (mut into, from) = (stream.try_clone()?, stream.try_clone()?);
        let received = Arc::new(AtomicUsize::new(0));
        let there = Arc::clone(&received);
        Ok(Self {
            stream,
            received,
            sending: thread::spawn(move || {
                loop {
                    into.write_all(&bytes)?;
                }
            }),
            reading: thread::spawn(move || read(from, &there)),
        })
    }

    /// How many bytes of replies have come.
    #[must_use]
    pub fn received(&self) -> usize {
        self.received.load(Relaxed)
    }

    /// At least `count`?
    ///
    /// # Errors
    /// Fewer.
    pub fn has_received(&self, count: usize) -> CaseResult {
        let received = self.received();
        if received >= count {
            return Ok(());
        }
        Err(CaseError::new("a client that sends much waits")
            .expected(format!("{count} bytes of replies"))
            .came(format!("{received}")))
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

/// Forgets all that comes, and counts it.
fn read(mut from: TcpStream, received: &AtomicUsize) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        received.fetch_add(count, Relaxed);
    }
}
