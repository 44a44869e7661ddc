//! One turn after the other, until all is done.
//!
//! The loop alone waits. Completions change what we know of a connection; when
//! all have been seen, what has changed decides what is started next.

use std::mem;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use epoll::{Signals, Stop};
use protocol::{Log, Message, Result};
use threads::IdleTimer;

use crate::batch::Batch;
use crate::connection::Connection;
use crate::listener::Listener;
use crate::operation::{Completion, Kind};
use crate::ring::Ring;
use crate::table::Table;

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The loop, and all that it has open.
pub(crate) struct Server {
    ring: Ring,
    signals: Rc<Signals>,
    /// `None` once the server is shutting down.
    listener: Option<Listener>,
    /// By descriptor. Boxed, so that an empty slot is a pointer.
    connections: Table<Box<Connection>>,
    batch: Batch,
    /// Those to which something has happened in this turn.
    changed: Vec<usize>,
    idle_timeout: Option<Duration>,
    next_idle_check: Option<Instant>,
    /// When a server that is shutting down ends, whatever is still open.
    drain_deadline: Option<Instant>,
    log: Log,
    /// The time at which this turn began.
    now: Instant,
}

impl Server {
    pub(crate) fn new(
        ring: Ring,
        signals: Signals,
        listener: Listener,
        idle_timeout: Option<Duration>,
        log: Log,
    ) -> Self {
        let now = Instant::now();
        Self {
            ring,
            signals: Rc::new(signals),
            listener: Some(listener),
            connections: Table::new(),
            batch: Batch::new(now),
            changed: Vec::new(),
            idle_timeout,
            next_idle_check: idle_timeout.map(|_| now),
            drain_deadline: None,
            log,
            now,
        }
    }

    /// Serves until a signal comes and the last connection is closed.
    ///
    /// # Errors
    /// `io_uring_enter` failed, which only a wrong program can bring about.
    // ANCHOR: run
    pub(crate) fn run(mut self) -> Result<()> {
        self.update();
        while !self.is_finished() {
            self.log.flush();
            let batch = self.batch.size(self.now);
            let completions = self.ring.turn(self.timeout(), batch)?;
            self.now = Instant::now();
            for done in completions {
                if let Some(completion) = self.ring.complete(&done) {
                    self.complete(completion);
                }
                if self.is_past_drain_deadline() {
                    return Ok(());
                }
            }
            self.close_idle();
            self.update();
        }
        Ok(())
    }

    /// Takes note of what the kernel has done.
    fn complete(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted(result) => {
                if let Some(listener) = &mut self.listener {
                    listener.accepted(result, &mut self.log);
                }
            }
            Completion::Readable => self.shut_down(),
            Completion::Received(fd, result, filled) => {
                self.with(fd, |connection, ring, log| {
                    let bytes = filled.as_ref().map(|f| ring.bytes(f));
                    let input = result.map(|_| bytes.unwrap_or_default());
                    connection.received(input, log)
                });
                filled.into_iter().for_each(|f| self.ring.give_back(f));
            }
            Completion::Sent(fd, result, replies) => {
                self.with(fd, |connection, _, _| {
                    connection.sent(result, replies)
                });
            }
        }
    }
    // ANCHOR_END: run

    /// Tells a connection what has happened, unless it is closed by now. What
    /// it wants next is asked in [`update`](Self::update).
    // ANCHOR: with
    fn with(
        &mut self,
        fd: usize,
        work: impl FnOnce(&mut Connection, &Ring, &mut Log) -> Result<()>,
    ) {
        let Some(connection) = self.connections.get_mut(fd) else { return };
        self.changed.push(fd);
        // What goes wrong with a connection ends that connection.
        if let Err(error) = work(connection, &self.ring, &mut self.log) {
            self.log.warn(&error);
            self.close(fd);
        }
    }

    fn close(&mut self, fd: usize) {
        if let Some(connection) = self.connections.remove(fd) {
            self.ring.close(connection.socket);
            self.log.info(Message::Ended(Some(fd as RawFd)));
        }
        // What had run out may be there again.
        if let Some(listener) = &mut self.listener {
            listener.backoff.reset();
        }
    }

    /// Starts what is to be started, of all that has changed.
    fn update(&mut self) {
        let mut changed = mem::take(&mut self.changed);
        for fd in changed.drain(..) {
            let Some(connection) = self.connections.get_mut(fd) else {
                continue;
            };
            if self.drain_deadline.is_some() {
                connection.drain();
            }
            self.batch.count(&mut connection.last_active);
            connection.update(&mut self.ring, &mut self.log);
            if connection.is_finished() {
                self.close(fd);
            }
        }
        self.changed = changed; // its memory, for the next turn
        self.ring.start(Kind::Poll, self.signals.clone(), Vec::new());
        self.accept();
    }
    // ANCHOR_END: with

    // ANCHOR: accept
    fn accept(&mut self) {
        while let Some(listener) = &mut self.listener {
            let open = self.connections.len();
            match listener.next(open) {
                Some(socket) => self.open(socket),
                None => return listener.update(open, &mut self.ring),
            }
        }
    }

    /// Unlike `accept4`, a multishot accept does not say who the peer is.
    fn open(&mut self, socket: OwnedFd) {
        let stream = TcpStream::from(socket);
        if !self.log.is_quiet() {
            match stream.peer_addr() {
                Ok(peer) => self.log.info(Message::Connected(peer)),
                Err(_) => return, // ENOTCONN: it has left already
            }
        }
        let fd = stream.as_raw_fd() as usize;
        let mut connection = Connection::new(stream.into(), self.now);
        connection.update(&mut self.ring, &mut self.log);
        self.connections.insert(fd, Box::new(connection));
    }
    // ANCHOR_END: accept

    /// The first signal: no new clients, and the open connections are drained
    /// when all completions of this turn have been seen.
    fn shut_down(&mut self) {
        if !self.signals.is_requested(&mut self.log) {
            return;
        }
        self.listener = None;
        self.drain_deadline = Some(self.now + DRAIN_TIMEOUT);
        self.changed.extend(self.connections.numbers());
    }

    fn close_idle(&mut self) {
        let (Some(timeout), Some(due)) =
            (self.idle_timeout, self.next_idle_check)
        else {
            return;
        };
        if self.now < due {
            return;
        }
        self.next_idle_check = Some(self.now + IdleTimer::interval(timeout));
        for fd in self.connections.numbers() {
            let Some(connection) = self.connections.get_mut(fd) else {
                continue;
            };
            if connection.is_over(timeout, self.now, &mut self.log) {
                self.close(fd);
            }
            self.changed.push(fd);
        }
    }

    fn is_finished(&self) -> bool {
        self.listener.is_none() && self.connections.len() == 0
            || self.is_past_drain_deadline()
    }

    /// Looked at after every completion: a turn may take long.
    fn is_past_drain_deadline(&self) -> bool {
        self.drain_deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// How long to wait at the most: until the first thing that is due.
    fn timeout(&self) -> Option<Duration> {
        let backoff = self.listener.as_ref().and_then(|l| l.backoff.until());
        [backoff, self.next_idle_check, self.drain_deadline]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.saturating_duration_since(Instant::now()))
    }
}
