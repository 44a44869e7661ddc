//! One turn after the other, until all is done.
//!
//! The loop alone waits. Completions change what we know of a connection; when
//! all have been seen, what has changed decides what is started next.

mod ending;

use std::io;
use std::net::TcpStream;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use epoll::Signals;
use protocol::{Log, Message, Result};

use crate::connection::Connection;
use crate::connections::Connections;
use crate::listener::Listener;
use crate::operation::{Completion, Key, Operation, Output};
use crate::ring::Ring;
use crate::timer::{IdleCheck, Timer};

/// A connection's token is its descriptor, which is no other's as long as an
/// operation holds it. These three are never one: they are the standard ones.
const LISTENER: u32 = 0;
const SIGNALS: u32 = 1;
const TIMER: u32 = 2;

pub(crate) struct Server {
    ring: Ring,
    signals: Rc<Signals>,
    /// `None` once the server is shutting down.
    listener: Option<Listener>,
    connections: Connections,
    timer: Timer,
    idle_check: IdleCheck,
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
        (socket, max_connections): (OwnedFd, usize),
        idle_timeout: Option<Duration>,
        log: Log,
    ) -> Self {
        let now = Instant::now();
        Self {
            ring,
            signals: Rc::new(signals),
            listener: Some(Listener::new(socket, LISTENER, max_connections)),
            connections: Connections::default(),
            timer: Timer::new(TIMER),
            idle_check: IdleCheck::new(idle_timeout, now),
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
        let mut completions = Vec::new();
        self.wait_for_signal();
        self.advance();
        while !self.is_finished() {
            self.set_timer();
            self.log.flush();
            let wait = self.connections.touched() == 0;
            self.ring.turn(wait, &mut completions)?;
            self.now = Instant::now();
            for completion in completions.drain(..) {
                self.complete(completion);
                if self.is_past_drain_deadline() {
                    return Ok(());
                }
            }
            self.close_idle();
            self.advance();
        }
        Ok(())
    }

    /// Takes note of what the kernel has done.
    fn complete(&mut self, completion: Completion) {
        let Completion { key, result, ended } = completion;
        match (key.token(), ended) {
            (LISTENER, ended) => {
                if let Some(listener) = &mut self.listener {
                    listener.complete(result, ended.is_some(), &mut self.log);
                }
            }
            (SIGNALS, _) => self.shut_down(),
            (TIMER, _) => self.timer.complete(self.now),
            (fd, Some(Operation::Send { replies, .. })) => {
                self.sent(fd, result, replies);
            }
            (_, ended) => self.received(key, result, ended.is_some()),
        }
    }
    // ANCHOR_END: run

    fn sent(&mut self, fd: u32, result: io::Result<Output>, replies: Vec<u8>) {
        if let Some(connection) = self.connections.touch(fd) {
            let result = connection.sent(result.map(Output::count), replies);
            self.close_on_error(fd, result);
        }
    }

    fn received(&mut self, key: Key, result: io::Result<Output>, ended: bool) {
        let (fd, mut filled) = (key.token(), None);
        let input = match result {
            Ok(Output::Received(new)) => {
                Ok(self.ring.bytes(filled.insert(new)))
            }
            Ok(_) => Ok(&[][..]),
            Err(error) => Err(error),
        };
        let result = match self.connections.touch(fd) {
            Some(connection) => {
                connection.received(input, ended, &mut self.log)
            }
            // It is closed, and was at work when that was to be cancelled.
            None => {
                self.ring.cancel(key);
                Ok(())
            }
        };
        if let Some(filled) = filled {
            self.ring.give_back(filled);
        }
        self.close_on_error(fd, result);
    }

    /// What goes wrong with a connection ends that connection.
    fn close_on_error(&mut self, fd: u32, result: Result<()>) {
        if let Err(error) = result {
            self.log.warn(&error);
            self.close(fd);
        }
    }

    fn close(&mut self, fd: u32) {
        if let Some(connection) = self.connections.remove(fd) {
            connection.close(&mut self.ring); // close(2)
            self.log.info(Message::Ended(Some(fd as RawFd)));
        }
        // What had run out may be there again.
        if let Some(listener) = &mut self.listener {
            listener.backoff.reset();
        }
    }

    /// Starts what is to be started, of all that has changed.
    fn advance(&mut self) {
        for _ in 0..self.connections.touched() {
            let Some(fd) = self.connections.next_touched() else { break };
            let Some(connection) = self.connections.get(fd) else { continue };
            let goes_on = connection.advance(&mut self.ring, &mut self.log);
            if connection.is_finished() {
                self.close(fd);
            } else if goes_on {
                self.connections.touch(fd);
            }
        }
        while let Some(listener) = &mut self.listener {
            let open = self.connections.open();
            let Some(socket) = listener.next(open) else {
                return listener.advance(open, &mut self.ring);
            };
            self.open(socket);
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
        let mut connection = Connection::new(stream.into(), self.now);
        connection.advance(&mut self.ring, &mut self.log);
        self.connections.insert(connection);
    }

    /// Has the wait end when the next thing is due.
    fn set_timer(&mut self) {
        let backoff = self.listener.as_ref().and_then(|l| l.backoff.until());
        let all = [backoff, self.idle_check.next(), self.drain_deadline];
        if let Some(due) = all.into_iter().flatten().min() {
            self.timer.set(due, &mut self.ring);
        }
    }
}
