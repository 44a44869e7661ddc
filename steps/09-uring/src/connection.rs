//! A connection as a state machine: that of step 04, on completions.
//!
//! Its states and what leads from one to another are the same. What is in
//! flight follows from the state: at most one receive and one send. Where
//! nothing is, the connection has ended.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use io_uring::cqueue;
use libc::{ECANCELED, EINTR, ENOBUFS};
use nix::sys::socket::{MsgFlags, Shutdown, recv, shutdown};
use protocol::{Call, Conversation, Error, Frame, Log, Message};
use threads::IdleTimer;

use crate::operation::{Client, Operation, result};
use crate::ring::Ring;

/// Bytes that are still answered at shutdown, of those that had arrived by
/// then.
const DRAIN_BYTES: usize = 64 * 1_024;
/// The high watermark: past so many bytes of unsent replies a connection is not
/// received from until they have drained.
const OUTBOX_LIMIT: usize = 64 * 1_024;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines come in and replies go out.
    Open,
    /// We are ending it: so many bytes that had arrived are still answered.
    Draining { bytes_left: usize },
    /// All replies and our FIN are sent, and we wait for the peer's.
    Lingering,
    /// The peer's FIN has come; once the last replies are sent we close.
    Flushing,
    /// We close when nothing is in flight any more.
    Ended,
}

/// One client: its socket, and how far we are with it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    state: State,
    conversation: Conversation,
    /// What has been received and is answered when there is room for the
    /// replies: it cannot be left in the kernel any more.
    inbox: VecDeque<Vec<u8>>,
    /// Replies that are not in flight yet.
    outbox: Vec<u8>,
    /// Bytes of the send in flight.
    sending: usize,
    /// The number of the receive in flight.
    receiving: Option<usize>,
    idle_timer: IdleTimer,
    /// For [`Batch`](crate::batch::Batch).
    pub(crate) last_active: u32,
}

impl Connection {
    /// A new connection, with nothing in flight yet.
    pub(crate) fn new(socket: OwnedFd, now: Instant) -> Self {
        Self {
            socket,
            state: State::Open,
            conversation: Conversation::default(),
            inbox: VecDeque::new(),
            outbox: Vec::new(),
            sending: 0,
            receiving: None,
            idle_timer: IdleTimer::new(now),
            last_active: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.outbox.len() + self.sending <= OUTBOX_LIMIT
    }

    /// Answers what there is room for; then starts and cancels operations of
    /// this `client`, so that what is in flight is what the state wants.
    // ANCHOR: update
    pub(crate) fn update(
        &mut self,
        client: &Client,
        ring: &mut Ring,
        log: &mut Log,
    ) {
        while self.has_room()
            && let Some(input) = self.inbox.pop_front()
        {
            self.answer(&input, log);
        }
        if self.sending == 0 && !self.outbox.is_empty() {
            let replies = mem::take(&mut self.outbox);
            self.sending = replies.len();
            ring.start(&self.socket, Operation::Send(client.clone(), replies));
        }
        if self.state == (State::Draining { bytes_left: 0 })
            && self.sending == 0
        {
            // ENOTCONN after a reset: the next receive ends with the error.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
            self.state = State::Lingering;
        }
        let is_ending = matches!(self.state, State::Flushing | State::Ended);
        match (self.receiving, self.has_room() && !is_ending) {
            (None, true) => {
                let receive = Operation::Receive(Rc::clone(client));
                self.receiving = Some(ring.start(&self.socket, receive));
            }
            (Some(number), false) => ring.cancel(number),
            _ => {}
        }
    }
    // ANCHOR_END: update

    /// Takes what has been received; no bytes are the peer's FIN.
    // ANCHOR: received
    pub(crate) fn received(
        &mut self,
        done: &cqueue::Entry,
        input: &[u8],
        log: &mut Log,
    ) {
        if !cqueue::more(done.flags()) {
            self.receiving = None; // it is no longer in flight
        }
        match result(done) {
            Ok(_) if self.inbox.is_empty() && self.has_room() => {
                self.answer(input, log);
            }
            Ok(_) => self.inbox.push_back(input.to_vec()),
            // We have cancelled it, or the ring had no buffer left: what is
            // still wanted is started again.
            Err(_)
                if [-ECANCELED, -ENOBUFS, -EINTR].contains(&done.result()) => {}
            Err(source) => self.fail(Call::Recv, source, log),
        }
    }

    /// Answers `input`, or the peer's FIN, into the outbox.
    fn answer(&mut self, input: &[u8], log: &mut Log) {
        let is_fin = input.is_empty();
        let answered = match &mut self.state {
            State::Ended => return,
            State::Open => input,
            State::Draining { bytes_left } if *bytes_left > 0 || is_fin => {
                *bytes_left = bytes_left.saturating_sub(input.len());
                input
            }
            _ => {
                // The rest of a line is dropped, and so is the line.
                self.conversation = Conversation::default();
                &[]
            }
        };
        let mut on_reply = |line: Frame<'_>, reply: &[u8]| {
            log.exchange(line, reply);
        };
        let (conversation, outbox) = (&mut self.conversation, &mut self.outbox);
        conversation.feed(answered, outbox, &mut on_reply);
        if is_fin {
            conversation.finish(outbox, on_reply);
            self.state = State::Flushing;
        }
    }
    // ANCHOR_END: received

    /// Takes back `replies`, of which a part was sent.
    pub(crate) fn sent(
        &mut self,
        done: &cqueue::Entry,
        mut replies: Vec<u8>,
        log: &mut Log,
    ) {
        self.sending = 0;
        match result(done) {
            _ if self.state == State::Ended => {}
            Ok(count) => {
                replies.drain(..count);
                replies.append(&mut self.outbox);
                // An idle connection should not hold a buffer.
                replies.shrink_to_fit();
                self.outbox = replies;
            }
            Err(source) => self.fail(Call::Send, source, log),
        }
    }

    /// What goes wrong with a connection (ECONNRESET, EPIPE, …) ends that
    /// connection, and is said once.
    fn fail(&mut self, call: Call, source: io::Error, log: &mut Log) {
        if self.state != State::Ended {
            log.warn(&Error { call, source });
        }
        self.end();
    }

    /// Ends the connection now. Where both directions are shut down nothing
    /// stays in flight.
    // ANCHOR: end
    fn end(&mut self) {
        self.inbox.clear();
        self.outbox.clear();
        self.state = State::Ended;
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }
    // ANCHOR_END: end

    /// Begins to end the connection from our side. What has arrived and is not
    /// received yet is looked at with MSG_PEEK, to know how much it is.
    // ANCHOR: drain
    pub(crate) fn drain(&mut self) {
        if self.state == State::Open {
            let (fd, mut arrived) = (self.socket.as_raw_fd(), [0; DRAIN_BYTES]);
            let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
            let count = recv(fd, &mut arrived, flags).unwrap_or(0);
            let kept: usize = self.inbox.iter().map(Vec::len).sum();
            self.state = State::Draining { bytes_left: kept + count };
        }
    }
    // ANCHOR_END: drain

    /// Ends the connection if it has been idle for `timeout`: first with our
    /// FIN, and another timeout later without the peer's.
    pub(crate) fn check_idle(
        &mut self,
        timeout: Duration,
        now: Instant,
        log: &mut Log,
    ) {
        if !self.idle_timer.is_expired(&self.socket, now, timeout) {
            return;
        }
        if self.state == State::Open {
            log.info(Message::IdleTimeout);
            self.idle_timer = IdleTimer::new(now);
            self.drain();
        } else {
            self.end();
        }
    }
}
