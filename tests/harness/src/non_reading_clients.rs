//! Many clients at once that send and never read.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, setsockopt,
    socket, sockopt,
};

use crate::{CaseError, Server, eventually};

/// The size of our own two buffers, so that they fill up soon.
const SMALL: usize = 16 << 10;
/// The longest segment to send us, as on the slowest of networks. From this and
/// our buffer the server's kernel learns that its own need not be large: on
/// loopback it would be megabytes.
const SEGMENT: u32 = 536;
/// A server that is started meanwhile does not inherit our sockets. macOS has no
/// such flag.
#[cfg(target_os = "linux")]
const FLAGS: SockFlag = SockFlag::SOCK_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const FLAGS: SockFlag = SockFlag::empty();
/// A server that uses no processor for so long has done what it could.
const IDLE: Duration = Duration::from_millis(100);

/// Clients that never read.
#[derive(Debug)]
pub struct NonReadingClients {
    streams: Vec<TcpStream>,
}

impl NonReadingClients {
    /// Connects `count` clients and sends empty lines, those with the largest
    /// replies for their size, until `server` takes no more from any.
    ///
    /// # Errors
    /// It takes more, and more, until `timeout` ends; it ends a connection.
    pub fn on(
        server: &Server,
        count: usize,
        timeout: Duration,
    ) -> Result<Self, CaseError> {
        let streams: nix::Result<_> =
            (0..count).map(|_| with_small_buffers(server)).collect();
        let streams: Vec<_> =
            streams.map_err(CaseError::of("a client that never reads"))?;
        eventually(timeout, || {
            let mut taken = 0;
            for stream in &streams {
                taken += push(stream)?;
            }
            if taken == 0 && is_idle(server)? {
                return Ok(());
            }
            Err(CaseError::new("the server reads on while no client reads"))
        })?;
        Ok(Self { streams })
    }

    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.streams.len()
    }
}

/// The handshake tells the server's kernel of both, so they are set before.
fn with_small_buffers(server: &Server) -> nix::Result<TcpStream> {
    let address = SockaddrStorage::from(server.address());
    let family = match server.address().is_ipv4() {
        true => AddressFamily::Inet,
        false => AddressFamily::Inet6,
    };
    let fd = socket(family, SockType::Stream, FLAGS, None)?;
    setsockopt(&fd, sockopt::RcvBuf, &SMALL)?;
    setsockopt(&fd, sockopt::SndBuf, &SMALL)?;
    setsockopt(&fd, sockopt::TcpMaxSeg, &SEGMENT)?;
    connect(std::os::fd::AsRawFd::as_raw_fd(&fd), &address)?;
    let stream = TcpStream::from(fd);
    // None but EBADF could come of this.
    let _ = stream.set_nonblocking(true);
    Ok(stream)
}

/// Sends what the kernel takes now, and says how much that was.
fn push(mut stream: &TcpStream) -> Result<usize, CaseError> {
    let mut taken = 0;
    loop {
        match stream.write(&[b'\n'; 4_096]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Ok(taken);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CaseError::of("send")(error)),
        }
    }
}

fn is_idle(server: &Server) -> Result<bool, CaseError> {
    let process = server.process()?.proc();
    let before = process.cpu_time()?;
    thread::sleep(IDLE);
    let used = process.cpu_time()?.saturating_sub(before);
    // On a busy machine it may have had no processor.
    Ok(used < IDLE / 100 && !process.wants_to_run())
}
