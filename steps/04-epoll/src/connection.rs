//! A connection as a state machine.
//!
//! ```text
//!            peer's FIN                  all replies sent
//!     Open ─────────────▶ Flushing ─────────────────────────▶ (closed)
//!      │                     ▲  ▲
//!      │ we shut down        │  │ peer's FIN
//!      ▼        peer's FIN   │  │
//!    Draining ───────────────┘  └──────────── Lingering
//!      │      all that had arrived is answered:      ▲
//!      └───────────── we send our FIN ───────────────┘
//! ```
//!
//! A connection never waits: `advance` does what can be done now, and
//! `interest` follows from the state that results.

use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use blocking::{recv, send};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Conversation, Frame, Message, Result, ResultExt};
use threads::IdleTimer;

use crate::context::{Context, READ_SIZE};
use crate::{Interest, Poller, would_block};

/// Reads that are still answered at shutdown: enough for what had arrived by
/// then, and a bound for a client that never ends.
const DRAIN_READS: u8 = 32;
/// The high watermark: past so many bytes of unsent replies a connection is not
/// read until they have drained. The replies to one read come on top, at most
/// 21 bytes (an empty line's) for each byte of [`READ_SIZE`].
const OUTBOX_LIMIT: usize = 65_536;

/// Where a connection is in its life.
// ANCHOR: state
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// We are ending it: what has arrived is answered, in so many reads at the
    /// most; what comes later is dropped.
    Draining { reads_left: u8 },
    /// All replies and our FIN are sent, and we wait for the peer's. To close
    /// now would answer the peer's next bytes with a reset, and a reset throws
    /// away replies that are still under way.
    Lingering,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
}
// ANCHOR_END: state

/// One client: its socket, and how far we are with it.
// ANCHOR: connection
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    state: State,
    conversation: Conversation,
    /// Replies that the kernel has not taken yet.
    outbox: Vec<u8>,
    /// What epoll waits for; `None`: to be registered anew, which re-arms.
    registered: Option<Interest>,
    idle_timer: IdleTimer,
}

impl Connection {
    /// Registers a new connection with its descriptor as the token.
    ///
    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    pub(crate) fn open(
        socket: OwnedFd,
        poller: &Poller,
        now: Instant,
    ) -> Result<Self> {
        let interest = Interest::READABLE;
        poller.register(&socket, socket.as_raw_fd() as u64, interest)?;
        Ok(Self {
            socket,
            state: State::Open,
            conversation: Conversation::default(),
            outbox: Vec::new(),
            registered: Some(interest),
            idle_timer: IdleTimer::new(now),
        })
    }
    // ANCHOR_END: connection

    /// What this connection waits for.
    // ANCHOR: interest
    fn interest(&self) -> Interest {
        let readable = match self.state {
            State::Open | State::Draining { .. } => {
                self.outbox.len() <= OUTBOX_LIMIT
            }
            State::Lingering => true,
            State::Flushing => false,
        };
        let fin_is_due = matches!(self.state, State::Draining { .. });
        Interest { readable, writable: fin_is_due || !self.outbox.is_empty() }
    }

    /// Makes epoll wait for that. Without a change it is no call.
    ///
    /// # Errors
    /// ENOMEM.
    pub(crate) fn reregister(&mut self, poller: &Poller) -> Result<()> {
        let interest = self.interest();
        if self.registered != Some(interest) {
            let token = self.socket.as_raw_fd() as u64;
            poller.reregister(&self.socket, token, interest)?;
            self.registered = Some(interest);
        }
        Ok(())
    }
    // ANCHOR_END: interest

    /// The conversation is over: to be closed.
    pub(crate) fn is_finished(&self) -> bool {
        self.state == State::Flushing && self.outbox.is_empty()
    }

    /// Does what can be done without waiting, within the bounds of a turn.
    /// `hang_up` says that something follows the bytes of a short read.
    ///
    /// # Errors
    /// The connection is broken (ECONNRESET, EPIPE, …): to be closed.
    // ANCHOR: advance
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
        if let State::Draining { reads_left } = self.state
            && (drained || reads_left == 0)
            && self.outbox.is_empty()
        {
            // ENOTCONN after a reset: the next `recv` returns the error.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
            self.state = State::Lingering;
        }
        Ok(())
    }
    // ANCHOR_END: advance

    /// Reads, and answers into the outbox, until the receive buffer is empty or
    /// the turn is over. Returns whether it is empty.
    // ANCHOR: receive
    fn receive(&mut self, hang_up: bool, cx: &mut Context) -> Result<bool> {
        for _ in 0..cx.reads {
            if !self.interest().readable {
                break;
            }
            let count = match recv(&self.socket, &mut cx.buffer) {
                Err(error) if would_block(&error) => return Ok(true),
                result => result.context(Call::Recv)?,
            };
            self.answer(count, cx);
            // A short read says that the buffer is empty, which saves another
            // `recv`. But it does not show the FIN behind the bytes, which
            // raises no event of its own any more.
            if count == 0 || count < READ_SIZE && !hang_up {
                return Ok(true);
            }
        }
        Ok(false)
    }
    // ANCHOR_END: receive

    /// Takes what one `recv` brought: `count` bytes, or the peer's FIN.
    // ANCHOR: answer
    fn answer(&mut self, count: usize, cx: &mut Context) {
        match &mut self.state {
            State::Open => {}
            State::Draining { reads_left: left @ 1.. } => *left -= 1,
            // Dropped: our last reply is sent, or will be without this.
            _ if count > 0 => return,
            _ => return self.state = State::Flushing,
        }
        if self.outbox.is_empty() {
            self.outbox = mem::take(&mut cx.outbox);
        }
        let on_reply = |line: Frame<'_>, reply: &[u8]| {
            cx.log.exchange(line, reply);
        };
        if count > 0 {
            let input = &cx.buffer[..count];
            self.conversation.feed(input, &mut self.outbox, on_reply);
        } else {
            self.conversation.finish(&mut self.outbox, on_reply);
            self.state = State::Flushing;
        }
    }
    // ANCHOR_END: answer

    /// Sends replies, as far as the kernel takes them.
    // ANCHOR: flush
    fn flush(&mut self, cx: &mut Context) -> Result<()> {
        let mut sent = 0;
        while sent < self.outbox.len() {
            match send(&self.socket, &self.outbox[sent..]) {
                Ok(count) => sent += count,
                Err(error) if would_block(&error) => break,
                Err(error) => return Err(error).context(Call::Send),
            }
        }
        self.outbox.drain(..sent);
        if self.outbox.is_empty() && self.outbox.capacity() > 0 {
            cx.outbox = mem::take(&mut self.outbox);
        }
        Ok(())
    }
    // ANCHOR_END: flush

    /// Begins to end the connection from our side.
    // ANCHOR: drain
    pub(crate) fn drain(&mut self) {
        if self.state == State::Open {
            self.state = State::Draining { reads_left: DRAIN_READS };
        }
    }

    /// Ends the connection if it has been idle for `timeout`: first with our
    /// FIN, and another timeout later without the peer's.
    pub(crate) fn check_idle(&mut self, timeout: Duration, cx: &mut Context) {
        if !self.idle_timer.is_expired(&self.socket, cx.now, timeout) {
            return;
        }
        if self.state == State::Open {
            cx.log.info(Message::IdleTimeout);
            self.idle_timer = IdleTimer::new(cx.now);
            self.drain();
        } else {
            self.outbox.clear();
            self.state = State::Flushing;
        }
    }
    // ANCHOR_END: drain
}
