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
//! It neither reads nor sends: so a loop on completions (step 09) has it, too.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Conversation, Frame, Log, Message};
use threads::IdleTimer;

use crate::poller::Interest;

/// Bytes that are still answered at shutdown: enough for what had arrived by
/// then, and a bound for a client that never ends.
const DRAIN_BYTES: usize = 65_536;
/// The high watermark: past so many bytes of unsent replies a connection is not
/// read until they have drained. The replies to one read come on top, at most
/// 21 bytes (an empty line's) for each byte that it brings.
const OUTBOX_LIMIT: usize = 65_536;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// We are ending it: what has arrived is answered, so many bytes at the
    /// most; what comes later is dropped.
    Draining { bytes_left: usize },
    /// All replies and our FIN are sent, and we wait for the peer's. To close
    /// now would answer the peer's next bytes with a reset, and a reset throws
    /// away replies that are still under way.
    Lingering,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
    /// We close, whatever is unsent.
    Ended,
}

/// How far we are with a client.
#[derive(Debug)]
pub struct Session {
    state: State,
    conversation: Conversation,
    /// Replies that are not sent yet.
    pub outbox: Vec<u8>,
    /// Bytes taken out of it that are being sent (in step 09).
    pub in_flight: usize,
    idle_timer: IdleTimer,
}

impl Session {
    /// The session of a client that was accepted at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            state: State::Open,
            conversation: Conversation::default(),
            outbox: Vec::new(),
            in_flight: 0,
            idle_timer: IdleTimer::new(now),
        }
    }

    /// What the connection waits for.
    pub fn interest(&self) -> Interest {
        let unsent = self.outbox.len() + self.in_flight;
        let readable = match self.state {
            State::Open | State::Draining { .. } => unsent <= OUTBOX_LIMIT,
            State::Lingering => true,
            State::Flushing | State::Ended => false,
        };
        let fin_is_due = matches!(self.state, State::Draining { .. });
        Interest { readable, writable: fin_is_due || unsent > 0 }
    }

    /// The connection is to be closed, whatever is unsent.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The connection is to be closed: nothing is left to send.
    pub fn is_finished(&self) -> bool {
        self.state == State::Flushing && self.outbox.is_empty()
            || self.is_ended()
    }

    /// Answers what was received; no bytes are the peer's FIN.
    pub fn answer(&mut self, input: &[u8], log: &mut Log) {
        match &mut self.state {
            State::Open => {}
            State::Draining { bytes_left: left @ 1.. } => {
                *left = left.saturating_sub(input.len());
            }
            // Dropped: our last reply is sent, or will be without this.
            _ if !input.is_empty() => return,
            _ => return self.state = State::Flushing,
        }
        let log = |line: Frame<'_>, reply: &[u8]| log.exchange(line, reply);
        if input.is_empty() {
            self.conversation.finish(&mut self.outbox, log);
            self.state = State::Flushing;
        } else {
            self.conversation.feed(input, &mut self.outbox, log);
        }
    }

    /// Begins to end the connection from our side.
    pub fn drain(&mut self) {
        if self.state == State::Open {
            self.state = State::Draining { bytes_left: DRAIN_BYTES };
        }
    }

    /// Sends our FIN if nothing else is left to do: all replies are sent, and
    /// `drained` says that nothing more has arrived.
    pub fn linger(&mut self, socket: impl AsFd, drained: impl Fn() -> bool) {
        if let State::Draining { bytes_left } = self.state
            && self.outbox.len() + self.in_flight == 0
            && (bytes_left == 0 || drained())
        {
            // ENOTCONN after a reset: the next receive has the error.
            let _ = shutdown(socket.as_fd().as_raw_fd(), Shutdown::Write);
            self.state = State::Lingering;
        }
    }

    /// Ends the connection if it has been idle for `timeout`: first in order,
    /// and where it is idle for another timeout, at once.
    pub fn check_idle(
        &mut self,
        socket: impl AsFd,
        timeout: Duration,
        now: Instant,
        log: &mut Log,
    ) {
        let is_expired = self.idle_timer.is_expired(socket, now, timeout);
        if is_expired && self.state == State::Open {
            log.info(Message::IdleTimeout);
            self.idle_timer = IdleTimer::new(now);
            self.drain();
        } else if is_expired {
            self.end();
        }
    }

    /// Ends the connection, whatever is unsent.
    pub fn end(&mut self) {
        self.state = State::Ended;
    }
}
