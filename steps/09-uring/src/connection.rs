//! A connection as a state machine: that of step 04, on completions.
//!
//! Its states and what leads from one to another are the same.
//!
//! What a connection has in flight follows from its state, in
//! [`advance`](Connection::advance) alone: at most one receive and one send.

mod answer;
mod ending;

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use libc::{EAGAIN, EALREADY, ECANCELED, EINTR, ENOBUFS, ENOENT};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Conversation, Log, Result, ResultExt};
use threads::IdleTimer;

use crate::operation::{Key, Operation};
use crate::ring::Ring;

/// The high watermark: past so many bytes of unsent replies a connection is not
/// received from until they have drained.
const OUTBOX_LIMIT: usize = 64 * 1_024;
/// An empty outbox keeps room for a few replies.
const IDLE_CAPACITY: usize = 128;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// We are ending it: what has arrived is answered, up to so many bytes.
    Draining { bytes_left: usize },
    /// All replies and our FIN are sent, and we wait for the peer's.
    Lingering,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
}

/// A receive in flight.
#[derive(Debug)]
struct Receive {
    key: Key,
    wait: bool,
    is_cancelled: bool,
}

/// One client: its socket, and how far we are with it.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Rc<OwnedFd>,
    state: State,
    conversation: Conversation,
    /// Bytes for later turns: what has been received cannot be left in the
    /// kernel any more.
    inbox: Vec<u8>,
    /// Behind the inbox comes the peer's FIN.
    is_at_end: bool,
    /// Bytes that may still be answered in this turn.
    turn_left: usize,
    /// Replies that are not in flight yet.
    outbox: Vec<u8>,
    /// The send in flight, and how many bytes it has.
    send: Option<(Key, usize)>,
    receive: Option<Receive>,
    /// Something has happened since the last [`advance`](Self::advance).
    pub(crate) is_touched: bool,
    idle_timer: IdleTimer,
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
            turn_left: answer::TURN_BYTES,
            outbox: Vec::new(),
            send: None,
            receive: None,
            is_touched: false,
            idle_timer: IdleTimer::new(now),
        }
    }

    /// By which it is known: its descriptor.
    pub(crate) fn token(&self) -> u32 {
        self.socket.as_raw_fd() as u32
    }

    fn unsent(&self) -> usize {
        self.outbox.len() + self.send.map_or(0, |(_, bytes)| bytes)
    }

    /// The conversation is over: to be closed.
    pub(crate) fn is_finished(&self) -> bool {
        self.state == State::Flushing && self.unsent() == 0
    }

    /// Whether to receive now, and whether to wait for more.
    // ANCHOR: advance
    fn wanted_receive(&self) -> Option<bool> {
        let has_room = self.inbox.is_empty() && self.unsent() <= OUTBOX_LIMIT;
        match self.state {
            _ if self.is_at_end => None,
            State::Open => has_room.then_some(true),
            State::Draining { bytes_left } => {
                (has_room && bytes_left > 0).then_some(false)
            }
            State::Lingering => Some(true),
            State::Flushing => None,
        }
    }

    /// Ends the turn: starts and cancels operations, so that what is in flight
    /// is what the state wants. Says whether there is more to do at once.
    pub(crate) fn advance(&mut self, ring: &mut Ring, log: &mut Log) -> bool {
        self.is_touched = false;
        self.answer_inbox(log);
        let token = self.token();
        if self.send.is_none() && !self.outbox.is_empty() {
            let socket = Rc::clone(&self.socket);
            let replies = mem::take(&mut self.outbox);
            let bytes = replies.len();
            let send = Operation::Send { socket, replies };
            self.send = Some((ring.start(send, token), bytes));
        }
        if self.state == (State::Draining { bytes_left: 0 })
            && self.unsent() == 0
        {
            // ENOTCONN: the peer has reset the connection. The next receive
            // ends with the error.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
            self.state = State::Lingering;
        }
        let wanted = self.wanted_receive();
        match (&mut self.receive, wanted) {
            (None, Some(wait)) => {
                let socket = Rc::clone(&self.socket);
                let receive = Operation::Receive { socket, wait };
                let key = ring.start(receive, token);
                self.receive = Some(Receive { key, wait, is_cancelled: false });
            }
            (Some(receive), wanted)
                if !receive.is_cancelled && wanted != Some(receive.wait) =>
            {
                ring.cancel(receive.key);
                receive.is_cancelled = true;
            }
            _ => {}
        }
        !self.inbox.is_empty() && self.unsent() <= OUTBOX_LIMIT
    }
    // ANCHOR_END: advance

    /// Takes note of bytes, or of what else a receive has brought: none is the
    /// peer's FIN. `ended` says that it was the last completion.
    ///
    /// # Errors
    /// The connection is broken (ECONNRESET, …): to be closed.
    pub(crate) fn received(
        &mut self,
        result: io::Result<&[u8]>,
        ended: bool,
        log: &mut Log,
    ) -> Result<()> {
        if ended {
            self.receive = None;
        }
        let input = match result {
            Ok(input) => input,
            Err(error) => match error.raw_os_error() {
                // Nothing more is there.
                Some(EAGAIN) => return self.drained(),
                // We have cancelled it, or the ring had no buffer left: the
                // next `advance` starts another.
                Some(ECANCELED | ENOBUFS | EINTR) => return Ok(()),
                // It was at work and could not be cancelled: so, again.
                Some(EALREADY | ENOENT) => {
                    let receive = self.receive.iter_mut();
                    receive.for_each(|r| r.is_cancelled = false);
                    return Ok(());
                }
                _ => return Err(error).context(Call::Recv),
            },
        };
        self.is_at_end |= input.is_empty();
        let count =
            if self.inbox.is_empty() { self.answer(input, log) } else { 0 };
        self.inbox.extend_from_slice(&input[count..]);
        Ok(())
    }

    /// Takes back `replies`, of which a part was sent.
    ///
    /// # Errors
    /// The connection is broken (EPIPE, …): to be closed.
    pub(crate) fn sent(
        &mut self,
        result: io::Result<usize>,
        mut replies: Vec<u8>,
    ) -> Result<()> {
        self.send = None;
        let count = result.context(Call::Send)?;
        replies.drain(..count);
        replies.append(&mut self.outbox);
        self.outbox = replies;
        if self.outbox.is_empty() {
            // An idle connection holds no buffer worth the name.
            self.outbox.shrink_to(IDLE_CAPACITY);
        }
        Ok(())
    }
}
