//! The right server, and every place where a server may go wrong.
//!
//! Each method of [`Server`] is a decision that somebody who writes an event
//! loop has to make, and the body that stands here is the right one. A wrong
//! server is this one with one of them replaced.

mod connection;
mod event_loop;
mod turns;

use std::io::{self, ErrorKind, Read, Write};

use blocking::is_connection_error;

pub(crate) use connection::{Connection, Line, text};
pub(crate) use event_loop::{EventLoop, run};

pub(crate) const ECHO: &[u8] = "受信しました: ".as_bytes();
pub(crate) const TOO_LONG: &[u8] =
    "エラー: 1行は1000バイトまでです\n".as_bytes();
const MAX_LINE: usize = 1_000;

/// Reads from one connection in one turn.
const READS_PER_TURN: usize = 16;
/// Bytes of unsent replies past which a connection is not read.
const UNSENT_LIMIT: usize = 64 << 10;

/// Made once, and lent to the connection whose turn it is.
pub(crate) struct Shared {
    pub(crate) buffer: [u8; 4_096],
    pub(crate) replies: Vec<u8>,
}

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// What came of a connection's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// All that could be done is done.
    Waiting,
    /// There may be more to read, but it is the others' turn.
    More,
    /// Close it.
    Over,
}

/// What came of one `recv`.
pub(crate) enum Received {
    Bytes,
    Nothing,
    End,
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

    /// Somebody waits in the accept queue.
    fn accept(&self, event_loop: &mut EventLoop) -> io::Result<()> {
        while event_loop.has_room() {
            match event_loop.accept() {
                Ok(socket) => event_loop.welcome(self, socket)?,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if is_connection_error(&e) => {}
                Err(e) => {
                    if !self.try_at_once(event_loop, e)? {
                        break;
                    }
                }
            }
        }
        self.queue_was_left(event_loop);
        Ok(())
    }

    /// `accept` is out of descriptors or memory. Whether to try at once.
    fn try_at_once(
        &self,
        event_loop: &mut EventLoop,
        _: io::Error,
    ) -> io::Result<bool> {
        event_loop.rest();
        Ok(false)
    }

    /// The accept queue may not be empty, and no edge will tell.
    fn queue_was_left(&self, event_loop: &mut EventLoop) {
        event_loop.ask_again();
    }

    /// What to wait for with this connection.
    fn wants(&self, connection: &Connection) -> Interest {
        Interest {
            read: connection.leaving
                || !connection.ended && connection.unsent.len() <= UNSENT_LIMIT,
            write: !connection.unsent.is_empty(),
        }
    }

    /// Something may have come in.
    fn read(
        &self,
        connection: &mut Connection,
        shared: &mut Shared,
    ) -> io::Result<Turn> {
        for _ in 0..READS_PER_TURN {
            if !self.wants(connection).read {
                return Ok(Turn::Waiting);
            }
            match self.receive(connection, shared)? {
                Received::Bytes => {}
                Received::Nothing => return Ok(Turn::Waiting),
                Received::End => return self.end_input(connection, shared),
            }
        }
        Ok(Turn::More)
    }

    /// One `recv`, and the replies to what it brought.
    fn receive(
        &self,
        connection: &mut Connection,
        shared: &mut Shared,
    ) -> io::Result<Received> {
        let Shared { buffer, replies } = shared;
        match (&connection.socket).read(buffer) {
            Ok(0) => Ok(Received::End),
            Ok(_) if connection.leaving => Ok(Received::Bytes),
            Ok(count) => {
                let input = self.received(buffer, count);
                self.exchange(connection, input, replies)?;
                Ok(Received::Bytes)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                Ok(Received::Nothing)
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(Received::Bytes),
            Err(e) => Err(e),
        }
    }

    /// The bytes that a `recv` into `buffer` brought.
    fn received<'a>(&self, buffer: &'a [u8], count: usize) -> &'a [u8] {
        &buffer[..count]
    }

    /// Bytes in, replies out. `replies` is everybody's.
    fn exchange(
        &self,
        connection: &mut Connection,
        input: &[u8],
        replies: &mut Vec<u8>,
    ) -> io::Result<()> {
        replies.clear();
        self.hear(&mut connection.line, input, replies);
        connection.unsent.extend_from_slice(replies);
        self.send(connection)
    }

    /// Appends the replies to all lines that end in `input`.
    fn hear(&self, line: &mut Line, input: &[u8], replies: &mut Vec<u8>) {
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            self.keep(line, piece, replies);
            if piece.ends_with(b"\n") {
                let whole = std::mem::take(line);
                if !whole.too_long {
                    self.answer(text(&whole.bytes), replies);
                }
            }
        }
    }

    /// Adds `piece` to the line so far, unless that is too long.
    fn keep(&self, line: &mut Line, piece: &[u8], replies: &mut Vec<u8>) {
        if line.too_long {
            return;
        }
        line.bytes.extend_from_slice(piece);
        if text(&line.bytes).len() > MAX_LINE {
            *line = Line { bytes: Vec::new(), too_long: true };
            replies.extend_from_slice(TOO_LONG);
        }
    }

    /// Appends the reply to one line.
    fn answer(&self, line: &[u8], replies: &mut Vec<u8>) {
        if line.eq_ignore_ascii_case(b"ping") {
            replies.extend_from_slice(b"pong\n");
        } else {
            replies.extend([ECHO, line, b"\n"].concat());
        }
    }

    /// Sends of the unsent replies what the kernel takes.
    fn send(&self, connection: &mut Connection) -> io::Result<()> {
        while !connection.unsent.is_empty() {
            match (&connection.socket).write(&connection.unsent) {
                Ok(count) => drop(connection.unsent.drain(..count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// The peer's FIN has come: a last line without its end is answered, too.
    fn end_input(
        &self,
        connection: &mut Connection,
        shared: &mut Shared,
    ) -> io::Result<Turn> {
        connection.ended = true;
        if !connection.leaving && !connection.line.bytes.is_empty() {
            self.exchange(connection, b"\n", &mut shared.replies)?;
        }
        connection.leaving = false;
        Ok(Turn::Waiting)
    }

    /// `recv` or `send` failed: that connection is over, and no other.
    fn after_failure(
        &self,
        connection: Connection,
        _: io::Error,
    ) -> io::Result<()> {
        drop(connection);
        Ok(())
    }

    /// The conversation is over.
    fn close(&self, connection: Connection) {
        drop(connection);
    }

    /// A signal has asked the server to end; nobody is let in any more.
    fn stop(&self, event_loop: &mut EventLoop) -> io::Result<()> {
        event_loop.see_off_all(self)
    }
}
