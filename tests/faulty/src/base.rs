//! The right server, and every place where a server may go wrong.
//!
//! It is the last stage of step 04's ladder with its decisions as methods of a
//! trait. Each is one that has to be made in an event loop, and the body that
//! stands here is the right one. A wrong server is this one with one of them
//! replaced.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use blocking::is_connection_error;
use nix::sys::epoll::EpollFlags;

use crate::event_loop::EventLoop;

pub(crate) const ECHO: &[u8] = "受信しました: ".as_bytes();
pub(crate) const TOO_LONG: &[u8] =
    "エラー: 1行は1000バイトまでです\n".as_bytes();
const MAX_LINE_LENGTH: usize = 1_000;
/// Reads from one connection in one turn.
const READS_PER_TURN: usize = 16;
/// Bytes in the outbox past which a connection is not read.
const OUTBOX_LIMIT: usize = 64 << 10;

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
    /// We are ending it: what comes in is dropped.
    pub(crate) draining: bool,
    /// `None`: to be registered again, whatever it is.
    pub(crate) registered: Option<EpollFlags>,
}

/// What came of one `recv`.
pub(crate) enum Received {
    Bytes,
    Nothing,
    End,
}

/// Made once, and lent to the connection whose turn it is.
pub(crate) struct Buffers {
    pub(crate) input: [u8; 4_096],
    pub(crate) replies: Vec<u8>,
}

/// A server, decision by decision. Its errors end it.
pub(crate) trait Server: Sync {
    fn edge_triggered(&self) -> bool {
        true
    }

    /// `epoll_wait` failed.
    fn after_failed_wait(&self, error: io::Error) -> io::Result<()> {
        match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            _ => Err(error),
        }
    }

    /// A client waits in the accept queue.
    fn accept(&self, event_loop: &mut EventLoop) -> io::Result<()> {
        while event_loop.has_room() {
            match event_loop.accept() {
                Ok(socket) => event_loop.open(self, socket)?,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if is_connection_error(&e) => {}
                Err(e) => {
                    if !self.retry_at_once(event_loop, e)? {
                        break;
                    }
                }
            }
        }
        self.rearm_listener(event_loop);
        Ok(())
    }

    /// `accept` is out of descriptors or memory. Whether to try again at once.
    fn retry_at_once(
        &self,
        event_loop: &mut EventLoop,
        _: io::Error,
    ) -> io::Result<bool> {
        event_loop.backoff = true;
        Ok(false)
    }

    /// The accept queue may not be empty, and its edge has passed.
    fn rearm_listener(&self, event_loop: &mut EventLoop) {
        event_loop.listener_registered = None;
    }

    /// What to wait for with this connection.
    fn interest(&self, connection: &Connection) -> EpollFlags {
        let room = connection.outbox.len() <= OUTBOX_LIMIT;
        let readable = connection.draining || !connection.ended && room;
        let mut interest = EpollFlags::empty();
        interest.set(EpollFlags::EPOLLIN, readable);
        interest.set(EpollFlags::EPOLLOUT, !connection.outbox.is_empty());
        interest
    }

    /// Something may have come in. Whether all of it was read.
    fn read(
        &self,
        connection: &mut Connection,
        buffers: &mut Buffers,
    ) -> io::Result<bool> {
        for _ in 0..READS_PER_TURN {
            if !self.interest(connection).contains(EpollFlags::EPOLLIN) {
                return Ok(true);
            }
            match self.receive(connection, buffers)? {
                Received::Bytes => {}
                Received::Nothing => return Ok(true),
                Received::End => {
                    self.finish(connection, buffers)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// One `recv`, and the replies to what it brought.
    fn receive(
        &self,
        connection: &mut Connection,
        buffers: &mut Buffers,
    ) -> io::Result<Received> {
        let Buffers { input, replies } = buffers;
        match (&connection.socket).read(input) {
            Ok(0) => return Ok(Received::End),
            Ok(_) if connection.draining => {}
            Ok(count) => {
                let input = self.received(input, count);
                self.exchange(connection, input, replies)?;
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                return Ok(Received::Nothing);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        Ok(Received::Bytes)
    }

    /// The bytes that a `recv` into `buffer` brought.
    fn received<'a>(&self, buffer: &'a [u8], count: usize) -> &'a [u8] {
        &buffer[..count]
    }

    /// Bytes in, replies out. All connections share `replies`.
    fn exchange(
        &self,
        connection: &mut Connection,
        input: &[u8],
        replies: &mut Vec<u8>,
    ) -> io::Result<()> {
        replies.clear();
        self.feed(&mut connection.line, input, replies);
        connection.outbox.extend_from_slice(replies);
        self.flush(connection)
    }

    /// Appends the replies to all lines that end in `input`.
    fn feed(&self, line: &mut Line, input: &[u8], replies: &mut Vec<u8>) {
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            self.extend_line(line, piece, replies);
            if piece.ends_with(b"\n") {
                let whole = std::mem::take(line);
                if !whole.too_long {
                    self.reply(text(&whole.bytes), replies);
                }
            }
        }
    }

    /// Adds `piece` to the line so far, unless that is too long.
    fn extend_line(
        &self,
        line: &mut Line,
        piece: &[u8],
        replies: &mut Vec<u8>,
    ) {
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
            replies.extend([ECHO, line, b"\n"].concat());
        }
    }

    /// Sends of the outbox what the kernel takes.
    fn flush(&self, connection: &mut Connection) -> io::Result<()> {
        while !connection.outbox.is_empty() {
            match (&connection.socket).write(&connection.outbox) {
                Ok(count) => drop(connection.outbox.drain(..count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// The peer's FIN has come: a last line without its end is answered, too.
    fn finish(
        &self,
        connection: &mut Connection,
        buffers: &mut Buffers,
    ) -> io::Result<()> {
        connection.ended = true;
        if !connection.draining && !connection.line.bytes.is_empty() {
            self.exchange(connection, b"\n", &mut buffers.replies)?;
        }
        connection.draining = false;
        Ok(())
    }

    /// `recv` or `send` failed: that connection is over, and no other.
    fn after_error(&self, _: Connection, _: io::Error) -> io::Result<()> {
        Ok(())
    }

    /// Both sides have sent all.
    fn close(&self, connection: Connection) {
        drop(connection);
    }

    /// A signal has come: no client is accepted any more, and those that are
    /// there get the replies to what they have sent.
    fn shut_down(&self, event_loop: &mut EventLoop) {
        for connection in event_loop.connections.values_mut() {
            let result = self.read(connection, &mut event_loop.buffers);
            connection.draining = result.is_ok() && !connection.ended;
        }
    }
}
