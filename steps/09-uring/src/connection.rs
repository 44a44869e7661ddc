//! A connection on completions, with the session of step 04.
//!
//! What is in flight follows from its state: at most one receive and one send.
//! Where nothing is, the connection has ended.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use epoll::Session;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, recv, shutdown};
use protocol::{Call, Error, Log};

/// A connection belongs to its operations: it is closed with the last of them.
pub(crate) type Client = Rc<RefCell<Connection>>;

/// One client: its socket, and how far we are with it.
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) session: Session,
    /// What has been received and is answered when there is room for the
    /// replies: it cannot be left in the kernel any more.
    inbox: VecDeque<Vec<u8>>,
    /// The number of the receive in flight.
    pub(crate) receiving: Option<usize>,
    pub(crate) last_active: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd, now: Instant) -> Self {
        let (session, inbox) = (Session::new(now), VecDeque::new());
        Self { socket, session, inbox, receiving: None, last_active: None }
    }

    /// Takes what has been received; no bytes are the peer's FIN. `is_last` says
    /// that the receive has ended.
    pub(crate) fn received(
        &mut self,
        input: nix::Result<&[u8]>,
        is_last: bool,
        log: &mut Log,
    ) {
        if is_last {
            self.receiving = None; // it is no longer in flight
        }
        let has_room = self.session.interest().readable;
        match input {
            Ok(input) if self.inbox.is_empty() && has_room => {
                self.session.answer(input, log);
            }
            Ok(input) => self.inbox.push_back(input.to_vec()),
            // We have cancelled it, or the ring had no buffer left: what is
            // still wanted is started again.
            Err(Errno::ECANCELED | Errno::ENOBUFS | Errno::EINTR) => {}
            Err(errno) => self.fail(Call::Recv, errno, log),
        }
    }

    /// Takes back `replies`, of which a part was sent.
    pub(crate) fn sent(
        &mut self,
        result: nix::Result<usize>,
        replies: Vec<u8>,
        log: &mut Log,
    ) {
        self.session.in_flight = 0;
        match result {
            Ok(count) => {
                // Of nothing it has no memory, as an idle client should.
                let unsent = [&replies[count..], &self.session.outbox].concat();
                self.session.outbox = unsent;
            }
            Err(errno) => self.fail(Call::Send, errno, log),
        }
    }

    /// What goes wrong with a connection (ECONNRESET, EPIPE, …) ends that
    /// connection, and is said once.
    fn fail(&mut self, call: Call, errno: Errno, log: &mut Log) {
        if !self.session.is_ended() {
            log.warn(&Error { call, source: errno.into() });
        }
        self.session.end();
    }

    /// Does what can be done now: answers what there is room for.
    pub(crate) fn advance(&mut self, log: &mut Log) {
        while self.session.interest().readable
            && let Some(input) = self.inbox.pop_front()
        {
            self.session.answer(&input, log);
        }
        // A receive in flight never says that nothing more is there.
        let peek = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let fd = self.socket.as_raw_fd();
        self.session.linger(&self.socket, || {
            self.inbox.is_empty()
                && recv(fd, &mut [0], peek) == Err(Errno::EAGAIN)
        });
        if self.session.is_ended() {
            // Where both directions are shut down nothing stays in flight.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
            self.session.outbox.clear();
        }
    }

    /// The replies to be sent next, if none are in flight.
    pub(crate) fn next_send(&mut self) -> Option<Vec<u8>> {
        let session = &mut self.session;
        if session.in_flight > 0 || session.outbox.is_empty() {
            return None;
        }
        session.in_flight = session.outbox.len();
        Some(mem::take(&mut session.outbox))
    }
}
