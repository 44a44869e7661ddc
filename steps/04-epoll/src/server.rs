//! One turn after the other, until all is done. The loop alone waits.

use std::collections::HashMap;
use std::io::ErrorKind::{UnexpectedEof, WouldBlock};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use blocking::{Backoff, is_connection_error};
use protocol::{Call, Error, LimitOptions, Log, Message, Result};
use threads::{IdleTimer, connection_limit};

use crate::connection::{Connection, Context, READ_SIZE};
use crate::listener::Incoming;
use crate::poller::{Interest, Poller};
use crate::signals::Signals;

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Clients accepted in one turn, before the connections get theirs.
const ACCEPTS_PER_TURN: usize = 256;
/// Reads in one turn, shared by the connections that are ready: a client that
/// sends without end must not keep the others waiting.
const READS_PER_TURN: usize = 16;

/// A connection's token is its descriptor. This and the next are never one:
/// they are stdin and stdout.
pub const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;

/// The loop, and all that it has open.
pub struct Server {
    /// `None` in a loop that is shut down by where its clients come from.
    signals: Option<Signals>,
    /// `None` once the server is shutting down: the listener is closed.
    incoming: Option<Box<dyn Incoming>>,
    /// What epoll waits for there; `None`: to be registered anew.
    registered: Option<Interest>,
    /// Descriptors or memory had run out.
    backoff: Backoff,
    max_connections: usize,
    /// Boxed, so that a map that grows moves pointers alone.
    connections: HashMap<RawFd, Box<Connection>>,
    idle_timeout: Option<Duration>,
    next_idle_check: Option<Instant>,
    /// When a server that is shutting down ends, whatever is still open.
    drain_deadline: Option<Instant>,
    cx: Context,
}

impl Server {
    /// A loop for what comes from `incoming`, until that ends or a signal comes.
    /// Fails as [`Poller::register`] does.
    pub fn new(
        poller: Poller,
        signals: Option<Signals>,
        incoming: Box<dyn Incoming>,
        limits: &LimitOptions,
        log: Log,
    ) -> Result<Self> {
        if let Some(signals) = &signals {
            poller.register(signals, SIGNALS, Interest::READABLE)?;
        }
        poller.register(&incoming, LISTENER, Interest::READABLE)?;
        let (buffer, outbox) = ([0; READ_SIZE], Vec::new());
        let now = Instant::now();
        Ok(Self {
            signals,
            incoming: Some(incoming),
            registered: Some(Interest::READABLE),
            backoff: Backoff::default(),
            max_connections: connection_limit(limits.max_connections),
            connections: HashMap::new(),
            idle_timeout: limits.idle_timeout,
            next_idle_check: None,
            drain_deadline: None,
            cx: Context { poller, buffer, outbox, reads: 1, log, now },
        })
    }

    /// Serves until a signal comes and the last connection is closed.
    pub fn run(mut self) -> Result<()> {
        let mut events = Vec::new();
        while !self.is_finished() {
            self.cx.log.flush();
            self.cx.poller.wait(&mut events, self.timeout())?;
            self.cx.now = Instant::now();
            self.cx.reads = (READS_PER_TURN / events.len().max(1)).max(1);
            for event in &events {
                match event.token {
                    LISTENER => self.accept(),
                    SIGNALS => self.on_signal(),
                    fd => self.with(fd as RawFd, |connection, cx| {
                        connection.advance(event.hang_up, cx)
                    }),
                }
            }
            self.close_idle();
            self.reregister_incoming();
        }
        Ok(())
    }

    /// Lets a connection do something, and closes it or registers what it waits
    /// for now. Where an event is out of date, it may be closed already.
    fn with(
        &mut self,
        fd: RawFd,
        work: impl FnOnce(&mut Connection, &mut Context) -> Result<()>,
    ) {
        let Some(connection) = self.connections.get_mut(&fd) else { return };
        let result = work(connection, &mut self.cx);
        if result.is_ok() && connection.session.is_finished() {
            return self.close(fd);
        }
        let result = result.and_then(|()| connection.reregister(&self.cx));
        // What goes wrong with a connection ends that connection.
        if let Err(error) = result {
            self.cx.log.warn(&error);
            self.close(fd);
        }
    }

    fn with_all(&mut self, work: impl Fn(&mut Connection, &mut Context)) {
        for fd in self.connections.keys().copied().collect::<Vec<_>>() {
            self.with(fd, |connection, cx| {
                work(connection, cx);
                Ok(())
            });
        }
    }

    fn close(&mut self, fd: RawFd) {
        self.connections.remove(&fd); // close(2)
        self.cx.log.info(Message::Ended(Some(fd)));
        // What had run out may be there again.
        self.backoff.reset();
        self.incoming.iter().for_each(|incoming| incoming.on_close());
    }

    fn has_room(&self) -> bool {
        self.connections.len() < self.max_connections
            && self.backoff.until(self.cx.now).is_none()
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(incoming) = &self.incoming else { return };
            if !self.has_room() {
                break;
            }
            match incoming.accept() {
                Ok((socket, peer)) => self.open(socket, peer),
                Err(e) if e.kind() == WouldBlock => return,
                Err(e) if e.kind() == UnexpectedEof => return self.shut_down(),
                Err(e) if is_connection_error(&e) => {}
                Err(source) => {
                    let error = Error { call: Call::Accept, source };
                    self.backoff.start(&error, &mut self.cx.log);
                }
            }
        }
        // The queue may not be empty, and an edge is not reported twice.
        self.registered = None;
    }

    fn open(&mut self, socket: OwnedFd, peer: SocketAddr) {
        self.cx.log.info(Message::Connected(peer));
        let (fd, interest) = (socket.as_raw_fd(), Interest::READABLE);
        let registered = self.cx.poller.register(&socket, fd as u64, interest);
        let connection = Connection::new(socket, self.cx.now);
        self.connections.insert(fd, Box::new(connection));
        self.with(fd, |_, _| registered);
    }

    /// Makes epoll wait for clients while there is room for them.
    fn reregister_incoming(&mut self) {
        let interest = Interest { readable: self.has_room(), writable: false };
        let Some(incoming) = &self.incoming else { return };
        if self.registered == Some(interest) {
            return;
        }
        match self.cx.poller.reregister(incoming.as_fd(), LISTENER, interest) {
            Ok(()) => self.registered = Some(interest),
            Err(error) => {
                self.backoff.start(&error, &mut self.cx.log);
            }
        }
    }

    fn on_signal(&mut self) {
        if self.signals.iter().any(|s| s.is_requested(&mut self.cx.log)) {
            self.shut_down();
        }
    }

    /// No new clients, and the open connections are drained.
    fn shut_down(&mut self) {
        self.incoming = None; // close(2): a client that connects now is refused
        self.drain_deadline = Some(self.cx.now + DRAIN_TIMEOUT);
        self.with_all(|connection, _| connection.session.drain());
    }

    fn close_idle(&mut self) {
        let Some(timeout) = self.idle_timeout else { return };
        if self.next_idle_check.is_none_or(|due| due <= self.cx.now) {
            let interval = IdleTimer::interval(timeout);
            self.next_idle_check = Some(self.cx.now + interval);
            self.with_all(|Connection { socket, session, .. }, cx| {
                session.check_idle(socket, timeout, cx.now, &mut cx.log);
            });
        }
    }

    fn is_finished(&self) -> bool {
        self.incoming.is_none() && self.connections.is_empty()
            || self.drain_deadline.is_some_and(|due| due <= Instant::now())
    }

    /// How long to wait at the most: until the first thing that is due.
    fn timeout(&self) -> Option<Duration> {
        let backoff = self.backoff.until(self.cx.now);
        let due = [backoff, self.next_idle_check, self.drain_deadline];
        let due = due.into_iter().flatten().min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }
}
