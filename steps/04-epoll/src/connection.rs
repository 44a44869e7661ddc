//! A connection that never waits: it does what can be done now.

use std::io::ErrorKind::WouldBlock;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use blocking::{recv, send};
use protocol::{Call, Log, Result, ResultExt};

use crate::poller::{Interest, Poller};
use crate::session::Session;

/// Bytes asked of the kernel at once: up to 2,048 empty lines.
pub(crate) const READ_SIZE: usize = 2_048;

/// What the loop owns and lends to the connection whose turn it is: an idle
/// connection has no buffers.
pub(crate) struct Context {
    pub(crate) poller: Poller,
    pub(crate) buffer: [u8; READ_SIZE],
    /// Memory for the replies, empty: a connection keeps it only for as long as
    /// it has unsent ones.
    pub(crate) outbox: Vec<u8>,
    /// Reads that a connection may do in this turn, at least 1.
    pub(crate) reads: usize,
    pub(crate) log: Log,
    /// The time at which this turn began.
    pub(crate) now: Instant,
}

/// One client: its socket, and how far we are with it.
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) session: Session,
    /// What epoll waits for; `None`: to be registered anew, which re-arms.
    registered: Option<Interest>,
}

impl Connection {
    /// A new connection, which is registered to be read.
    pub(crate) fn new(socket: OwnedFd, now: Instant) -> Self {
        let registered = Some(Interest::READABLE);
        Self { socket, session: Session::new(now), registered }
    }

    /// Makes epoll wait for what the state wants: a call only at a change.
    pub(crate) fn reregister(&mut self, cx: &Context) -> Result<()> {
        let interest = self.session.interest();
        if self.registered != Some(interest) {
            let token = self.socket.as_raw_fd() as u64;
            cx.poller.reregister(&self.socket, token, interest)?;
            self.registered = Some(interest);
        }
        Ok(())
    }

    /// Does what can be done without waiting, within the bounds of a turn.
    /// `hang_up` says that something follows the bytes of a short read. After
    /// an error (ECONNRESET, EPIPE, …) the connection is to be closed.
    pub(crate) fn advance(
        &mut self,
        hang_up: bool,
        cx: &mut Context,
    ) -> Result<()> {
        self.flush(cx)?;
        let drained = self.receive(hang_up, cx)?;
        self.flush(cx)?;
        if !drained {
            // An edge is not reported twice: re-arm.
            self.registered = None;
        }
        self.session.linger(&self.socket, || drained);
        Ok(())
    }

    /// Reads, and answers into the outbox, until the receive buffer is empty or
    /// the turn is over. Returns whether it is empty.
    fn receive(&mut self, hang_up: bool, cx: &mut Context) -> Result<bool> {
        for _ in 0..cx.reads {
            if !self.session.interest().readable {
                break;
            }
            let count = match recv(&self.socket, &mut cx.buffer) {
                Err(error) if error.kind() == WouldBlock => return Ok(true),
                result => result.context(Call::Recv)?,
            };
            if self.session.outbox.is_empty() {
                self.session.outbox = mem::take(&mut cx.outbox);
            }
            self.session.answer(&cx.buffer[..count], &mut cx.log);
            // A short read says that the buffer is empty, which saves another
            // `recv`. But it does not show the FIN behind the bytes, which
            // raises no event of its own any more.
            if count == 0 || count < READ_SIZE && !hang_up {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends replies, as far as the kernel takes them.
    fn flush(&mut self, cx: &mut Context) -> Result<()> {
        let (outbox, mut sent) = (&mut self.session.outbox, 0);
        while sent < outbox.len() {
            match send(&self.socket, &outbox[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == WouldBlock => break,
                Err(error) => return Err(error).context(Call::Send),
            }
        }
        outbox.drain(..sent);
        if outbox.is_empty() && outbox.capacity() > 0 {
            cx.outbox = mem::take(outbox);
        }
        Ok(())
    }
}
