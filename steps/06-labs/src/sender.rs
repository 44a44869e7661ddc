//! Sending the bytes of a file in three ways, and what that costs.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::Builder;
use std::time::Duration;

use anyhow::Result;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::sendfile::sendfile;
use nix::time::ClockId;

use crate::client::TIMEOUT;

/// A turn sends so many bytes, in no more messages than that.
const TURN_BYTES: usize = 8 * 1_024 * 1_024;
const TURN_MESSAGES: usize = 2_000;

/// A way to send the bytes of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strategy {
    /// They are in the program's memory already.
    Send,
    /// They are read into it first.
    ReadAndSend,
    /// They never get there.
    Sendfile,
}

/// A connection to a thread that reads all and keeps nothing.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: TcpStream,
    file: File,
    memory: Vec<u8>,
}

impl Sender {
    /// With a file that is as long as the longest of `sizes`.
    pub(crate) fn new(sizes: &[usize]) -> Result<Self> {
        let most = sizes.iter().copied().max().unwrap_or(0);
        let memory = vec![b'.'; most];
        let mut file =
            File::from(memfd_create("pictures", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(&memory)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let socket = TcpStream::connect(listener.local_addr()?)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(TIMEOUT))?;
        let (mut reader, _) = listener.accept()?;
        Builder::new().spawn(move || {
            let mut buffer = vec![0; 256 * 1_024];
            while matches!(reader.read(&mut buffer), Ok(1..)) {}
        })?;
        Ok(Self { socket, file, memory })
    }

    /// CPU time of this thread, the kernel's part included, in seconds.
    pub(crate) fn cpu_of_a_message(
        &mut self,
        way: Strategy,
        size: usize,
    ) -> io::Result<f64> {
        let messages = (TURN_BYTES / size).clamp(1, TURN_MESSAGES);
        let start = ClockId::CLOCK_THREAD_CPUTIME_ID.now()?;
        for _ in 0..messages {
            self.send(way, size)?;
        }
        let spent = ClockId::CLOCK_THREAD_CPUTIME_ID.now()? - start;
        Ok(Duration::from(spent).as_secs_f64() / messages as f64)
    }

    fn send(&mut self, way: Strategy, size: usize) -> io::Result<()> {
        let Self { socket, file, memory } = self;
        let bytes = &mut memory[..size];
        match way {
            Strategy::Send => socket.write_all(bytes),
            Strategy::ReadAndSend => {
                file.rewind()?;
                file.read_exact(bytes)?;
                socket.write_all(bytes)
            }
            Strategy::Sendfile => {
                let (mut offset, mut left) = (0, size);
                while left > 0 {
                    // The kernel moves `offset` past what it took.
                    left -=
                        sendfile(&*socket, &*file, Some(&mut offset), left)?;
                }
                Ok(())
            }
        }
    }
}
