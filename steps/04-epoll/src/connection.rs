//! A connection as a state machine.
//!
//! ```text
//!            peer's FIN                 all replies sent
//!     Open ─────────────▶ Flushing ─────────────────────────▶ (closed)
//!      │                     ▲  ▲
//!      │ we stop             │  │ peer's FIN
//!      ▼        peer's FIN   │  │
//!    Leaving ────────────────┘  └──────────── Lingering
//!      │          all replies sent: we send our FIN  ▲
//!      └─────────────────────────────────────────────┘
//! ```
//!
//! A connection never waits. [`advance`](Connection::advance) does what can be
//! done now, and [`wants`](Connection::wants) follows from the state it left.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Conversation, Failure, Log};

use crate::Interest;
use crate::outbox::Outbox;
use crate::stream::{Received, try_receive};

/// Bytes asked of the kernel at once.
const READ_SIZE: usize = 4 * 1_024;
/// Reads from one connection in one turn. A client that sends without end must
/// not keep the others waiting.
const READS_PER_TURN: usize = 16;
/// Past so many bytes of unsent replies a connection is not read until they
/// have drained: back-pressure. The replies to one read come on top, at most
/// 21 bytes (an empty line's) for each byte of [`READ_SIZE`].
const UNSENT_LIMIT: usize = 64 * 1_024;

/// What the loop owns and lends to the connection whose turn it is: an idle
/// connection has no buffers of its own.
// ANCHOR: shared
pub(crate) struct Shared {
    buffer: [u8; READ_SIZE],
    replies: Vec<u8>,
    /// Where messages are noted.
    pub(crate) log: Log,
    /// The time at which this turn began.
    pub(crate) now: Instant,
}
// ANCHOR_END: shared

impl Shared {
    pub(crate) fn new(log: Log) -> Self {
        let (buffer, replies) = ([0; READ_SIZE], Vec::new());
        Self { buffer, replies, log, now: Instant::now() }
    }
}

/// Where a connection is in its life.
// ANCHOR: state
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
    /// We are ending it: the last replies go out, what comes in is dropped.
    Leaving,
    /// All replies and our FIN are sent, and we wait for the peer's. To close
    /// now would answer the peer's next bytes with a reset, and a reset throws
    /// away replies that are still under way.
    Lingering,
}

/// What came of reading.
enum Read {
    /// All that has arrived.
    All,
    /// Some: there may be more.
    Some,
    /// Nothing had arrived.
    Nothing,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// All that could be done is done.
    Waiting,
    /// There is more to read, but it is the others' turn.
    More,
    /// The conversation is over: close the connection.
    Over,
}
// ANCHOR_END: state

/// One client: its descriptor, and how far we are with it.
// ANCHOR: connection
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    state: State,
    conversation: Conversation,
    outbox: Outbox,
    /// When bytes last came in or went out.
    last_active: Instant,
}
// ANCHOR_END: connection

impl Connection {
    pub(crate) fn new(socket: OwnedFd, now: Instant) -> Self {
        Self {
            socket,
            state: State::Open,
            conversation: Conversation::default(),
            outbox: Outbox::default(),
            last_active: now,
        }
    }

    /// What this connection waits for.
    // ANCHOR: wants
    pub(crate) fn wants(&self) -> Interest {
        let read = match self.state {
            State::Open => self.outbox.len() <= UNSENT_LIMIT,
            State::Leaving | State::Lingering => true,
            State::Flushing => false,
        };
        Interest { read, write: !self.outbox.is_empty() }
    }
    // ANCHOR_END: wants

    /// Does all that can be done without waiting, within the bounds of a turn.
    /// `hang_up` says that an end follows the bytes that can be read.
    ///
    /// # Errors
    /// The connection is broken (ECONNRESET, EPIPE, …): to be closed.
    // ANCHOR: advance
    pub(crate) fn advance(
        &mut self,
        hang_up: bool,
        shared: &mut Shared,
    ) -> Result<Turn, Failure> {
        let sent = self.outbox.flush(&self.socket)?;
        if sent {
            self.last_active = shared.now;
        }
        let read = self.receive(hang_up, shared)?;
        if self.outbox.is_empty() {
            match self.state {
                State::Flushing => return Ok(Turn::Over),
                State::Leaving => self.send_fin(),
                State::Open | State::Lingering => {}
            }
        }
        Ok(match read {
            Read::All => Turn::Waiting,
            Read::Nothing if sent => Turn::Waiting,
            // Nothing to send, nothing to read: then why were we called? Better
            // to ask once too often than to wait for an edge that has passed.
            Read::Nothing | Read::Some => Turn::More,
        })
    }
    // ANCHOR_END: advance

    /// Begins to end the connection from our side: what has arrived is still
    /// answered, what comes later is not.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    // ANCHOR: leave
    pub(crate) fn leave(
        &mut self,
        shared: &mut Shared,
    ) -> Result<Turn, Failure> {
        self.last_active = shared.now;
        self.receive(false, shared)?;
        if self.state == State::Open {
            self.state = State::Leaving;
        }
        self.advance(false, shared)
    }
    // ANCHOR_END: leave

    /// When bytes last came in or went out.
    pub(crate) fn last_active(&self) -> Instant {
        self.last_active
    }

    /// The number of its descriptor.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Whether it is a client that we still listen to.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Reads until there is nothing more or the turn is over.
    // ANCHOR: receive
    fn receive(
        &mut self,
        hang_up: bool,
        shared: &mut Shared,
    ) -> Result<Read, Failure> {
        for reads in 0..READS_PER_TURN {
            if !self.wants().read {
                return Ok(Read::All);
            }
            match try_receive(&self.socket, &mut shared.buffer)? {
                Received::Nothing if reads == 0 => return Ok(Read::Nothing),
                Received::Nothing => return Ok(Read::All),
                Received::End => {
                    self.hear_end(shared)?;
                    return Ok(Read::All);
                }
                Received::Bytes(count) => {
                    self.hear(count, shared)?;
                    // A short read says that the socket is drained, which
                    // saves asking again; but it does not show the FIN behind
                    // the bytes, which raises no event of its own any more.
                    if count < READ_SIZE && !hang_up {
                        return Ok(Read::All);
                    }
                }
            }
        }
        Ok(Read::Some)
    }
    // ANCHOR_END: receive

    // ANCHOR: hear
    fn hear(
        &mut self,
        count: usize,
        shared: &mut Shared,
    ) -> Result<(), Failure> {
        if self.state != State::Open {
            return Ok(());
        }
        self.last_active = shared.now;
        let Shared { buffer, replies, log, .. } = shared;
        replies.clear();
        self.conversation.hear(&buffer[..count], replies, log);
        self.outbox.send(&self.socket, replies)
    }

    fn hear_end(&mut self, shared: &mut Shared) -> Result<(), Failure> {
        let was_open = self.state == State::Open;
        self.state = State::Flushing;
        if !was_open {
            return Ok(());
        }
        let Shared { replies, log, .. } = shared;
        replies.clear();
        self.conversation.end(replies, log);
        self.outbox.send(&self.socket, replies)
    }
    // ANCHOR_END: hear

    // ANCHOR: send_fin
    fn send_fin(&mut self) {
        // ENOTCONN: the peer has reset the connection. `recv` will tell.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
        self.state = State::Lingering;
    }
    // ANCHOR_END: send_fin
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
