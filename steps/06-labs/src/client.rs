//! A client in a few lines.
//!
//! The standard library's `TcpStream` is the calls of steps 01 and 03 under
//! Rust names: `connect`, `send` and `recv` with a timeout, `close` in `Drop`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use blocking::stream_socket;
use nix::errno::Errno;
use nix::sys::socket::{SockaddrStorage, connect as begin};
use protocol::PONG;

/// Longer than any reply takes that comes at all.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Connects, and waits no longer than `timeout` in any `recv` and `send`
/// after that.
pub(crate) fn connect(
    server: SocketAddr,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

/// A client that has had its first `pong`, and so is served.
pub(crate) fn served(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = connect(server, TIMEOUT)?;
    ask(&stream)?;
    Ok(stream)
}

/// A socket that is not connected yet, and whose `recv` waits no longer than
/// [`TIMEOUT`].
pub(crate) fn socket(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = stream_socket(server).map_err(|error| error.source)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Sends the SYN, and does not wait for the answer: the socket is writable when
/// it has come. `man 2 connect`, EINPROGRESS.
pub(crate) fn begin_connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = socket(server)?;
    stream.set_nonblocking(true)?;
    match begin(stream.as_raw_fd(), &SockaddrStorage::from(server)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(stream),
        Err(errno) => Err(errno.into()),
    }
}

/// Sends `ping`, in one call, and waits for `pong`. Says how long that took.
pub(crate) fn ask(mut stream: &TcpStream) -> io::Result<Duration> {
    let start = Instant::now();
    stream.write_all(b"ping\n")?;
    hear_pong(stream)?;
    Ok(start.elapsed())
}

/// Waits for `pong`. `WouldBlock` where no reply came in time, `UnexpectedEof`
/// where the server closed the connection, `InvalidData` for another reply.
pub(crate) fn hear_pong(mut stream: &TcpStream) -> io::Result<()> {
    let mut reply = [0; PONG.len()];
    stream.read_exact(&mut reply)?;
    let right = reply == PONG;
    right.then_some(()).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// Reads replies until there are `wanted` lines, the server closes, or nothing
/// more comes within the stream's timeout.
pub(crate) fn hear(
    mut stream: &TcpStream,
    wanted: usize,
) -> io::Result<Vec<u8>> {
    let mut replies = Vec::new();
    let mut buffer = [0; 4_096];
    while lines(&replies) < wanted {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => replies.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(replies)
}

/// The number of lines in `bytes`.
pub(crate) fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
