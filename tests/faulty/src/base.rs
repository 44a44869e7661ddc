//! The right server, and every place where a server may go wrong.
//!
//! It is the last stage of step 04's ladder with its decisions as methods of a
//! trait. The body that stands here is the right one. A wrong server is this
//! one with one of them replaced.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use blocking::is_connection_error;
use nix::sys::epoll::EpollFlags;

use crate::event_loop::EventLoop;

pub(crate) const TOO_LONG: &[u8] =
    "エラー: 1行は1000バイトまでです\n".as_bytes();
const MAX_LINE_LENGTH: usize = 1_000;
/// Past so many unsent bytes a connection is not read.
const OUTBOX_LIMIT: usize = 64 << 10;
/// How long a client may take to read its last replies.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// An error that leaves the event loop ends the server.
pub(crate) type Result<T = ()> = io::Result<T>;

/// The line that is still coming.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// That has been said, and the rest of the line is dropped.
    pub(crate) too_long: bool,
}

/// A line without its end: `\n`, or `\r\n`. A `\r` in the last place may yet
/// prove part of the end.
pub(crate) fn text(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// One client's connection: what to wait for follows from its state.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    pub(crate) line: Line,
    /// Replies that the kernel has not taken yet.
    pub(crate) outbox: Vec<u8>,
    /// The peer's FIN has come.
    pub(crate) ended: bool,
    /// We are ending the connection, and close it then at the latest.
    pub(crate) drain_deadline: Option<Instant>,
    /// When bytes last came in or went out.
    pub(crate) last_active: Instant,
    pub(crate) registered: EpollFlags,
}

/// A server, decision by decision.
pub(crate) trait Server: Sync {
    /// EPOLLET for the clients' sockets.
    fn edge_triggered(&self) -> bool {
        false
    }

    /// EPOLLET for the listener.
    fn listener_edge_triggered(&self) -> bool {
        false
    }

    /// `epoll_wait` failed: EINTR after Ctrl-Z and `fg`.
    fn after_failed_wait(&self, _: &mut EventLoop, e: io::Error) -> Result {
        if e.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(e) }
    }

    /// Clients wait in the accept queue.
    fn accept(&self, event_loop: &mut EventLoop) -> Result {
        while event_loop.has_room() {
            match event_loop.accept() {
                Ok(socket) => event_loop.open(socket)?,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if is_connection_error(&e) => {}
                Err(e) => {
                    if !self.retry_at_once(event_loop, e)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// `accept` is out of descriptors or memory. Whether to try again at once.
    fn retry_at_once(&self, el: &mut EventLoop, _: io::Error) -> Result<bool> {
        el.backoff = true;
        Ok(false)
    }

    /// What to wait for with this connection.
    fn interest(&self, connection: &Connection) -> EpollFlags {
        let draining = connection.drain_deadline.is_some();
        let room = connection.outbox.len() <= OUTBOX_LIMIT;
        let readable = !connection.ended && (room || draining);
        let mut interest = EpollFlags::empty();
        interest.set(EpollFlags::EPOLLIN, readable);
        interest.set(EpollFlags::EPOLLOUT, !connection.outbox.is_empty());
        interest
    }

    /// Something may have come in: one `recv`, and the replies to it.
    fn receive(
        &self,
        connection: &mut Connection,
        buffer: &mut [u8],
    ) -> Result {
        match (&connection.socket).read(buffer) {
            Ok(0) => self.finish(connection),
            // Too late for a reply.
            Ok(_) if connection.drain_deadline.is_some() => Ok(()),
            Ok(count) => {
                connection.last_active = Instant::now();
                self.exchange(connection, self.received(buffer, count))
            }
            Err(e) if is_not_now(&e) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The bytes that a `recv` into `buffer` brought.
    fn received<'a>(&self, buffer: &'a [u8], count: usize) -> &'a [u8] {
        &buffer[..count]
    }

    /// Bytes in, replies out.
    fn exchange(&self, connection: &mut Connection, input: &[u8]) -> Result {
        self.feed(&mut connection.line, input, &mut connection.outbox);
        Ok(())
    }

    /// Appends the replies to all lines that end in `input`.
    fn feed(&self, line: &mut Line, input: &[u8], replies: &mut Vec<u8>) {
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            self.extend(line, piece, replies);
            if piece.ends_with(b"\n") {
                let whole = std::mem::take(line);
                if !whole.too_long {
                    self.reply(text(&whole.bytes), replies);
                }
            }
        }
    }

    /// Adds `piece` to the line so far, unless that is too long.
    fn extend(&self, line: &mut Line, piece: &[u8], replies: &mut Vec<u8>) {
        if line.too_long {
            return;
        }
        line.bytes.extend_from_slice(piece);
        if text(&line.bytes).len() > MAX_LINE_LENGTH {
            *line = Line { bytes: Vec::new(), too_long: true };
            replies.extend_from_slice(TOO_LONG);
        }
    }

    /// Appends the reply to one line.
    fn reply(&self, line: &[u8], replies: &mut Vec<u8>) {
        if line.eq_ignore_ascii_case(b"ping") {
            replies.extend_from_slice(b"pong\n");
        } else {
            replies.extend(["受信しました: ".as_bytes(), line, b"\n"].concat());
        }
    }

    /// Sends of the outbox what the kernel takes.
    fn flush(&self, connection: &mut Connection) -> Result {
        while !connection.outbox.is_empty() {
            match (&connection.socket).write(&connection.outbox) {
                Ok(count) => drop(connection.outbox.drain(..count)),
                Err(e) if is_not_now(&e) => break,
                Err(e) => return Err(e),
            }
            connection.last_active = Instant::now();
        }
        Ok(())
    }

    /// The peer's FIN has come: a last line without its end is answered, too.
    fn finish(&self, connection: &mut Connection) -> Result {
        connection.ended = true;
        let in_time = connection.drain_deadline.is_none();
        if in_time && !connection.line.bytes.is_empty() {
            self.exchange(connection, b"\n")?;
        }
        Ok(())
    }

    /// `recv` or `send` failed: that connection is over, and no other.
    fn after_error(&self, _: Connection, _: io::Error) -> Result {
        Ok(())
    }

    /// Both sides have sent all.
    fn close(&self, connection: Connection) {
        drop(connection);
    }

    /// A client was silent for the idle timeout, or sent something while the
    /// whole process stood still.
    fn close_idle(&self, event_loop: &mut EventLoop, fd: RawFd) -> Result {
        event_loop.serve(fd)?;
        if event_loop.is_idle(fd) {
            event_loop.drain(fd, Instant::now() + DRAIN_TIMEOUT)?;
        }
        Ok(())
    }

    /// A signal has come: the clients that are there get the replies to what
    /// they have sent.
    fn shut_down(&self, event_loop: &mut EventLoop) -> Result {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        let mut open = event_loop.fds().into_iter();
        open.try_for_each(|fd| event_loop.drain(fd, deadline))
    }
}

/// Nothing came, or there is no room. After EINTR, too: level-triggered reports
/// it again.
fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
