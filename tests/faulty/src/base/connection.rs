//! One client: its socket, and how far we are with it.

use std::io;
use std::net::{Shutdown, TcpStream};

use super::{Server, Shared, Turn};

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

/// A connection's state, from which follows what to wait for.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    pub(crate) line: Line,
    /// Replies that the kernel has not taken yet.
    pub(crate) unsent: Vec<u8>,
    /// The peer's FIN has come.
    pub(crate) ended: bool,
    /// We are ending it: what comes in is dropped.
    pub(crate) leaving: bool,
}

impl Connection {
    pub(crate) fn new(socket: TcpStream) -> Self {
        let (line, unsent) = (Line::default(), Vec::new());
        Self { socket, line, unsent, ended: false, leaving: false }
    }

    /// Does what can be done without waiting.
    pub(crate) fn turn(
        &mut self,
        server: &(impl Server + ?Sized),
        shared: &mut Shared,
    ) -> io::Result<Turn> {
        server.send(self)?;
        let turn = server.read(self, shared)?;
        if self.unsent.is_empty() && self.ended {
            return Ok(Turn::Over);
        }
        if self.unsent.is_empty() && self.leaving {
            // Ours goes first: what the peer still sends would be answered
            // with a reset by a closed socket, and replies lost with it.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
        Ok(turn)
    }

    /// Answers what has come, and no more.
    pub(crate) fn leave(
        &mut self,
        server: &(impl Server + ?Sized),
        shared: &mut Shared,
    ) -> io::Result<Turn> {
        server.read(self, shared)?;
        self.leaving = !self.ended;
        self.turn(server, shared)
    }
}
