//! One turn after the other, until all is done.
//!
//! The loop alone waits. Completions change what we know of a connection; when
//! all have been seen, what has changed decides what is started next.

use std::cell::RefCell;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use epoll::Signals;
use io_uring::cqueue;
use protocol::{LimitOptions, Log, Message, Result};
use threads::IdleTimer;

use crate::connection::{Client, Connection};
use crate::listener::Listener;
use crate::operation::{Operation, accepted, result};
use crate::ring::Ring;

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long the active clients are counted. One in so many of them is
/// waited for.
const WINDOW: Duration = Duration::from_millis(5);
const SHARE: usize = 8;

/// The loop, and all that it has open. Connections belong to their operations.
pub(crate) struct Server {
    ring: Ring,
    /// `None` once the server is shutting down.
    listener: Option<Listener>,
    /// The number of connections.
    open: usize,
    /// When this window began, and how many clients were active since.
    window: Instant,
    active: usize,
    /// How many requests to wait for, by the window before.
    batch: usize,
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
        listener: OwnedFd,
        limits: &LimitOptions,
        log: Log,
    ) -> Self {
        let now = Instant::now();
        let signals = Rc::new(signals);
        ring.start(&signals.clone(), Operation::Poll(signals));
        let LimitOptions { max_connections, idle_timeout } = *limits;
        Self {
            ring,
            listener: Some(Listener::new(listener, max_connections)),
            open: 0,
            window: now,
            active: 0,
            batch: 0,
            idle_timeout,
            next_check: idle_timeout.map(|_| now),
            drain_deadline: None,
            log,
            now,
        }
    }

    /// Serves until a signal comes and the last connection is closed. Fails as
    /// [`Ring::turn`] does.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut changed = Vec::new();
        self.accept();
        while !self.is_finished() {
            self.log.flush();
            self.count_active();
            let completions = self.ring.turn(self.timeout(), self.batch)?;
            self.now = Instant::now();
            for done in &completions {
                changed.extend(self.complete(done));
            }
            changed.drain(..).for_each(|client| self.update(client));
            self.check_all();
            self.accept();
        }
        Ok(())
    }

    /// Takes note of what the kernel has done, and says for which client.
    fn complete(&mut self, done: &cqueue::Entry) -> Option<Client> {
        let (log, is_last) = (&mut self.log, !cqueue::more(done.flags()));
        match self.ring.complete(done)? {
            Operation::Accept(_) => {
                let accepted = accepted(done); // without a listener: close(2)
                self.listener.as_mut()?.accepted(accepted, is_last, log);
                None
            }
            Operation::Poll(signals) => {
                if signals.is_requested(log) {
                    self.shut_down();
                }
                self.ring.start(&signals.clone(), Operation::Poll(signals));
                None
            }
            Operation::Receive(client) => {
                let mut connection = client.borrow_mut();
                let is_new = connection.last_active < Some(self.window);
                self.active += usize::from(is_new);
                connection.last_active = Some(self.now);
                self.ring.buffers.read(done, |input| {
                    connection.received(input, is_last, log);
                });
                drop(connection);
                Some(client)
            }
            Operation::Send(client, replies) => {
                client.borrow_mut().sent(result(done), replies, log);
                Some(client)
            }
        }
    }

    /// Starts and cancels operations, so that what is in flight is what the
    /// state wants. A connection that has nothing in flight is closed.
    fn update(&mut self, client: Client) {
        let mut connection = client.borrow_mut();
        connection.advance(&mut self.log);
        if let Some(replies) = connection.next_send() {
            let send = Operation::Send(Rc::clone(&client), replies);
            self.ring.start(&connection.socket, send);
        }
        match (connection.receiving, connection.session.interest().readable) {
            (None, true) => {
                let receive = Operation::Receive(Rc::clone(&client));
                let number = self.ring.start(&connection.socket, receive);
                connection.receiving = Some(number);
            }
            (Some(number), false) => self.ring.cancel(number),
            _ => {}
        }
        drop(connection);
        if let Some(connection) = Rc::into_inner(client) {
            let fd = connection.into_inner().socket.as_raw_fd(); // close(2)
            self.open -= 1;
            self.log.info(Message::Ended(Some(fd)));
            // What had run out may be there again.
            self.listener.iter_mut().for_each(|l| l.backoff.reset());
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &mut self.listener
            && let Some(socket) =
                listener.next(self.open, self.now, &mut self.ring)
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
        self.open += 1;
        let connection = Connection::new(stream.into(), self.now);
        self.update(Rc::new(RefCell::new(connection)));
    }

    /// The first signal: no new clients, and the open connections are drained
    /// when all completions of this turn have been seen.
    fn shut_down(&mut self) {
        self.listener = None;
        self.drain_deadline = Some(self.now + DRAIN_TIMEOUT);
        self.next_check = Some(self.now);
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
        for client in self.ring.clients() {
            let mut connection = client.borrow_mut();
            let Connection { socket, session, .. } = &mut *connection;
            if self.drain_deadline.is_some() {
                session.drain();
            } else if let Some(timeout) = self.idle_timeout {
                session.check_idle(socket, timeout, now, &mut self.log);
            }
            drop(connection);
            self.update(client);
        }
    }

    /// At the end of a window: one in [`SHARE`] of the clients that were active
    /// in it is waited for in the next.
    fn count_active(&mut self) {
        if self.now >= self.window + WINDOW {
            self.batch = self.active / SHARE;
            (self.window, self.active) = (self.now, 0);
        }
    }

    fn is_finished(&self) -> bool {
        self.drain_deadline.is_some_and(|due| self.open == 0 || due <= self.now)
    }

    /// How long to wait at the most: until the first thing that is due.
    fn timeout(&self) -> Option<Duration> {
        let listener = self.listener.as_ref();
        let backoff = listener.and_then(|l| l.backoff.until(self.now));
        let due = backoff.into_iter().chain(self.next_check).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }
}
