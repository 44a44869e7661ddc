//! A connection as a state machine: that of step 04, on completions.
//!
//! Its states and what leads from one to another are the same. What is in
//! flight follows from the state: at most one receive and one send.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use libc::{ECANCELED, EINTR, ENOBUFS};
use nix::sys::socket::{MsgFlags, Shutdown, recv, shutdown};
use protocol::{Call, Conversation, Log, Message, Result, ResultExt};
use threads::IdleTimer;

use crate::operation::Kind;
use crate::ring::Ring;

/// Bytes that are still answered at shutdown, of those that had arrived by
/// then.
const DRAIN_BYTES: usize = 64 * 1_024;
/// The high watermark: past so many bytes of unsent replies a connection is not
/// received from until they have drained.
const OUTBOX_LIMIT: usize = 64 * 1_024;
/// Bytes of the inbox that are answered before that is looked at again.
const PIECE: usize = 256;
/// Room that an idle connection keeps for replies.
const IDLE_CAPACITY: usize = 128;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// We are ending it: so many bytes that had arrived are still answered.
    Draining { bytes_left: u32 },
    /// All replies and our FIN are sent, and we wait for the peer's.
    Lingering,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
}

/// What had arrived by then is answered: our FIN is due.
const DRAINED: State = State::Draining { bytes_left: 0 };

/// One client: its socket, and how far we are with it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Rc<OwnedFd>,
    state: State,
    conversation: Conversation,
    /// Bytes that are answered when there is room for the replies: what has
    /// been received cannot be left in the kernel any more.
    inbox: Vec<u8>,
    /// Behind the inbox comes the peer's FIN.
    is_at_end: bool,
    /// Replies that are not in flight yet.
    outbox: Vec<u8>,
    /// Bytes of the send in flight.
    in_flight: usize,
    idle_timer: IdleTimer,
    /// For [`Batch`](crate::batch::Batch).
    pub(crate) last_active: u32,
}

impl Connection {
    /// A new connection, with nothing in flight yet.
    pub(crate) fn new(socket: OwnedFd, now: Instant) -> Self {
        Self {
            socket: Rc::new(socket),
            state: State::Open,
            conversation: Conversation::default(),
            inbox: Vec::new(),
            is_at_end: false,
            outbox: Vec::new(),
            in_flight: 0,
            idle_timer: IdleTimer::new(now),
            last_active: 0,
        }
    }

    fn unsent(&self) -> usize {
        self.outbox.len() + self.in_flight
    }

    /// The conversation is over: to be closed.
    pub(crate) fn is_finished(&self) -> bool {
        self.state == State::Flushing && self.unsent() == 0
    }

    fn has_room(&self) -> bool {
        self.unsent() <= OUTBOX_LIMIT
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::Open | State::Draining { .. } => {
                self.inbox.is_empty() && self.has_room()
            }
            State::Lingering => true,
            State::Flushing => false,
        }
    }

    /// Answers what there is room for; then starts and cancels operations, so
    /// that what is in flight is what the state wants.
    // ANCHOR: update
    pub(crate) fn update(&mut self, ring: &mut Ring, log: &mut Log) {
        self.answer_inbox(log);
        if self.in_flight == 0 && !self.outbox.is_empty() {
            let replies = mem::take(&mut self.outbox);
            self.in_flight = replies.len();
            ring.start(Kind::Send, self.socket.clone(), replies);
        }
        if self.state == DRAINED && self.unsent() == 0 {
            // ENOTCONN after a reset: the next receive ends with the error.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
            self.state = State::Lingering;
        }
        if self.wants_input() {
            ring.start(Kind::Receive, self.socket.clone(), Vec::new());
        } else {
            ring.cancel(self.socket.as_raw_fd(), Kind::Receive);
        }
    }
    // ANCHOR_END: update

    /// Takes what has been received; no bytes are the peer's FIN.
    ///
    /// # Errors
    /// The connection is broken (ECONNRESET, …): to be closed.
    // ANCHOR: received
    pub(crate) fn received(
        &mut self,
        result: io::Result<&[u8]>,
        log: &mut Log,
    ) -> Result<()> {
        match result {
            Ok([]) => self.is_at_end = true,
            Ok(input) if self.inbox.is_empty() && self.has_room() => {
                self.answer(input, log);
            }
            Ok(input) => self.inbox.extend_from_slice(input),
            Err(error) => match error.raw_os_error() {
                // We have cancelled it, or the ring had no buffer left: what is
                // still wanted is started again.
                Some(ECANCELED | ENOBUFS | EINTR) => {}
                _ => return Err(error).context(Call::Recv),
            },
        }
        Ok(())
    }

    /// Answers `input` into the outbox.
    fn answer(&mut self, input: &[u8], log: &mut Log) {
        let count = match &mut self.state {
            State::Open => input.len(),
            State::Draining { bytes_left } => {
                let count = input.len().min(*bytes_left as usize);
                *bytes_left -= count as u32;
                count
            }
            State::Lingering | State::Flushing => return, // dropped
        };
        let (input, dropped) = input.split_at(count);
        self.conversation.feed(input, &mut self.outbox, |line, reply| {
            log.exchange(line, reply);
        });
        if !dropped.is_empty() {
            // The rest of a line is dropped, and so is the line.
            self.conversation = Conversation::default();
        }
    }

    fn answer_inbox(&mut self, log: &mut Log) {
        let mut inbox = mem::take(&mut self.inbox);
        let mut answered = 0;
        for piece in inbox.chunks(PIECE) {
            if self.has_room() {
                self.answer(piece, log);
                answered += piece.len();
            }
        }
        inbox.drain(..answered);
        if !inbox.is_empty() {
            self.inbox = inbox;
        } else if mem::take(&mut self.is_at_end) {
            if self.state != State::Lingering {
                self.conversation.finish(&mut self.outbox, |line, reply| {
                    log.exchange(line, reply);
                });
            }
            self.state = State::Flushing;
        }
    }
    // ANCHOR_END: received

    /// Takes back `replies`, of which a part was sent.
    ///
    /// # Errors
    /// The connection is broken (EPIPE, …): to be closed.
    pub(crate) fn sent(
        &mut self,
        result: io::Result<usize>,
        mut replies: Vec<u8>,
    ) -> Result<()> {
        self.in_flight = 0;
        replies.drain(..result.context(Call::Send)?);
        replies.append(&mut self.outbox);
        self.outbox = replies;
        self.outbox.shrink_to(IDLE_CAPACITY);
        Ok(())
    }

    /// Begins to end the connection from our side. What has arrived and is not
    /// received yet is looked at with MSG_PEEK, to know how much it is.
    // ANCHOR: drain
    pub(crate) fn drain(&mut self) {
        if self.state == State::Open {
            let (fd, mut arrived) = (self.socket.as_raw_fd(), [0; DRAIN_BYTES]);
            let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
            let count = recv(fd, &mut arrived, flags).unwrap_or(0);
            let bytes_left = (self.inbox.len() + count) as u32;
            self.state = State::Draining { bytes_left };
        }
    }
    // ANCHOR_END: drain

    /// Ends the connection if it has been idle for `timeout`: first with our
    /// FIN, and another timeout later without the peer's. Says whether it is
    /// to be closed.
    pub(crate) fn is_over(
        &mut self,
        timeout: Duration,
        now: Instant,
        log: &mut Log,
    ) -> bool {
        let is_expired =
            self.idle_timer.is_expired(&*self.socket, now, timeout);
        if is_expired && self.state == State::Open {
            log.info(Message::IdleTimeout);
            self.idle_timer = IdleTimer::new(now);
            self.drain();
            return false;
        }
        is_expired
    }
}
