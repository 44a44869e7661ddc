//! One turn after the other, until all is done.
//!
//! The loop alone waits. Completions change what we know of a connection; when
//! all have been seen, what has changed decides what is started next.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use epoll::{Signals, Stop};
use io_uring::cqueue;
use protocol::{Log, Message, Result};
use threads::IdleTimer;

use crate::batch::Batch;
use crate::connection::Connection;
use crate::listener::Listener;
use crate::operation::{Client, Operation, accepted};
use crate::ring::Ring;

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The loop, and all that it has open. Connections belong to their operations.
pub(crate) struct Server {
    ring: Ring,
    /// `None` once the server is shutting down.
    listener: Option<Listener>,
    /// The number of connections.
    open: usize,
    batch: Batch,
    /// Those to which something has happened in this turn.
    changed: VecDeque<Client>,
    idle_timeout: Option<Duration>,
    /// When to look at all connections.
    next_check: Option<Instant>,
    /// When a server that is shutting down ends, whatever is still open.
    drain_deadline: Option<Instant>,
    log: Log,
    /// The time at which this turn began.
    now: Instant,
}

impl Server {
    pub(crate) fn new(
        mut ring: Ring,
        signals: Signals,
        listener: Listener,
        idle_timeout: Option<Duration>,
        log: Log,
    ) -> Self {
        let now = Instant::now();
        let signals = Rc::new(signals);
        ring.start(&*signals.clone(), Operation::Poll(signals));
        Self {
            ring,
            listener: Some(listener),
            open: 0,
            batch: Batch::new(now),
            changed: VecDeque::new(),
            idle_timeout,
            next_check: idle_timeout.map(|_| now),
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
        self.accept();
        while !self.is_finished() {
            self.log.flush();
            let batch = self.batch.size(self.now);
            let completions = self.ring.turn(self.timeout(), batch)?;
            self.now = Instant::now();
            for done in completions {
                if let Some(operation) = self.ring.complete(&done) {
                    self.complete(operation, &done);
                }
            }
            self.update();
            self.check_all();
            self.update();
            self.accept();
        }
        Ok(())
    }

    /// Takes note of what the kernel has done.
    fn complete(&mut self, operation: Operation, done: &cqueue::Entry) {
        let log = &mut self.log;
        match operation {
            Operation::Accept(_) => match &mut self.listener {
                Some(listener) => listener.accepted(done, log),
                None => drop(accepted(done)),
            },
            Operation::Poll(signals) => self.signalled(signals),
            Operation::Receive(client) => {
                self.ring.buffers.read(done, |bytes| {
                    client.borrow_mut().received(done, bytes, log);
                });
                self.changed.push_back(client);
            }
            Operation::Send(client, replies) => {
                client.borrow_mut().sent(done, replies, log);
                self.changed.push_back(client);
            }
        }
    }
    // ANCHOR_END: run

    /// Starts what is to be started, of all that has changed. What has nothing
    /// in flight is closed.
    // ANCHOR: update
    fn update(&mut self) {
        while let Some(client) = self.changed.pop_front() {
            let mut connection = client.borrow_mut();
            self.batch.count(&mut connection.last_active);
            connection.update(&client, &mut self.ring, &mut self.log);
            drop(connection);
            if let Some(connection) = Rc::into_inner(client) {
                self.close(connection.into_inner());
            }
        }
    }

    fn close(&mut self, connection: Connection) {
        let fd = connection.socket.as_raw_fd();
        drop(connection); // close(2)
        self.open -= 1;
        self.log.info(Message::Ended(Some(fd)));
        // What had run out may be there again.
        if let Some(listener) = &mut self.listener {
            listener.backoff.reset();
        }
    }
    // ANCHOR_END: update

    // ANCHOR: accept
    fn accept(&mut self) {
        while let Some(listener) = &mut self.listener
            && let Some(socket) = listener.next(self.open, &mut self.ring)
        {
            self.open(socket);
        }
    }

    /// Unlike `accept4`, a multishot accept does not say who the peer is.
    fn open(&mut self, socket: OwnedFd) {
        let stream = TcpStream::from(socket);
        if !self.log.quiet {
            match stream.peer_addr() {
                Ok(peer) => self.log.info(Message::Connected(peer)),
                Err(_) => return, // ENOTCONN: it has left already
            }
        }
        let connection = Connection::new(stream.into(), self.now);
        let client = Rc::new(RefCell::new(connection));
        client.borrow_mut().update(&client, &mut self.ring, &mut self.log);
        self.open += 1;
    }
    // ANCHOR_END: accept

    /// The first signal: no new clients, and the open connections are drained
    /// when all completions of this turn have been seen.
    fn signalled(&mut self, signals: Rc<Signals>) {
        if signals.is_requested(&mut self.log) {
            self.listener = None;
            self.drain_deadline = Some(self.now + DRAIN_TIMEOUT);
            self.next_check = Some(self.now);
        } else {
            self.ring.start(&*signals.clone(), Operation::Poll(signals));
        }
    }

    /// Drains all connections, or those that are idle, when it is time to look.
    fn check_all(&mut self) {
        let now = self.now;
        if self.next_check.is_none_or(|due| now < due) {
            return;
        }
        self.next_check = self.drain_deadline.or_else(|| {
            self.idle_timeout.map(|timeout| now + IdleTimer::interval(timeout))
        });
        for (_, operation) in self.ring.in_flight() {
            use Operation::{Receive, Send};
            let (Receive(client) | Send(client, _)) = operation else {
                continue;
            };
            let mut connection = client.borrow_mut();
            if self.drain_deadline.is_some() {
                connection.drain();
            } else if let Some(timeout) = self.idle_timeout {
                connection.check_idle(timeout, now, &mut self.log);
            }
            self.changed.push_back(Rc::clone(client));
        }
    }

    fn is_finished(&self) -> bool {
        self.ring.in_flight().is_empty()
            || self.drain_deadline.is_some_and(|due| due <= self.now)
    }

    /// How long to wait at the most: until the first thing that is due.
    fn timeout(&self) -> Option<Duration> {
        let backoff = self.listener.as_ref().and_then(|l| l.backoff.until());
        [backoff, self.next_check]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.saturating_duration_since(Instant::now()))
    }
}
