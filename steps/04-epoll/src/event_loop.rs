//! One turn after the other, until all is done.
//!
//! The loop alone talks to `epoll`. After whatever it did with a connection, it
//! tells the kernel what that connection wants now.

use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::time::{Duration, Instant};

use protocol::{Failure, Log, Message};

use crate::acceptor::{Accepted, Acceptor};
use crate::clients::{Client, Clients};
use crate::connection::{Shared, Turn};
use crate::poller::{Interest, Poller, Told};
use crate::signals::Signals;

/// How long clients may take to read their last replies when the server stops.
const FAREWELL: Duration = Duration::from_secs(1);
/// Clients accepted in one turn, before those that we have get theirs.
const ACCEPTS_PER_TURN: usize = 256;

/// A client's token is the number of its descriptor; these two are none.
const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;

/// The server: whom it serves, and what it waits with.
// ANCHOR: struct
pub(crate) struct EventLoop {
    poller: Poller,
    signals: Signals,
    /// `None` once the server is stopping: the listener is closed.
    acceptor: Option<Acceptor>,
    told_listener: Told,
    clients: Clients,
    somebody_left: bool,
    idle_timeout: Option<Duration>,
    /// When to look for idle clients next.
    patrol: Option<Instant>,
    /// When a server that is stopping ends, whoever is still there.
    deadline: Option<Instant>,
    shared: Shared,
}
// ANCHOR_END: struct

impl EventLoop {
    /// # Errors
    /// ENOMEM: the kernel cannot watch for signals.
    pub(crate) fn new(
        poller: Poller,
        signals: Signals,
        acceptor: Acceptor,
        idle_timeout: Option<Duration>,
        log: Log,
    ) -> Result<Self, Failure> {
        poller.tell(&signals, &mut Told::nothing(SIGNALS), Interest::READ)?;
        let mut told_listener = Told::nothing(LISTENER);
        poller.tell(&acceptor, &mut told_listener, acceptor.wants(0))?;
        let shared = Shared::new(log);
        Ok(Self {
            poller,
            signals,
            acceptor: Some(acceptor),
            told_listener,
            clients: Clients::default(),
            somebody_left: false,
            idle_timeout,
            patrol: idle_timeout.map(|_| shared.now),
            deadline: None,
            shared,
        })
    }

    /// Serves until a signal comes and the last client has left.
    ///
    /// # Errors
    /// `epoll_wait` failed, which only a wrong program can bring about.
    // ANCHOR: run
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        while !self.is_over() {
            self.shared.log.flush();
            let count = self.poller.wait(self.time_left())?;
            self.shared.now = Instant::now();
            for index in 0..count {
                let event = self.poller.event(index);
                match event.token {
                    LISTENER => self.accept(),
                    SIGNALS => self.stop(),
                    fd => self.serve(fd as RawFd, event.hang_up),
                }
            }
            self.look_after_idle_clients();
            self.look_after_listener();
        }
        Ok(())
    }
    // ANCHOR_END: run

    /// An event says where to look, not what is there: `advance` finds out by
    /// trying. So one that is out of date does no harm.
    // ANCHOR: serve
    fn serve(&mut self, fd: RawFd, hang_up: bool) {
        if let Some(client) = self.clients.get_mut(fd) {
            let turn = client.connection.advance(hang_up, &mut self.shared);
            self.after_turn(fd, turn);
        }
    }

    fn after_turn(&mut self, fd: RawFd, turn: Result<Turn, Failure>) {
        let told = match turn {
            Ok(Turn::Over) => return self.close(fd),
            Ok(turn) => self.tell_wants(fd, turn),
            Err(failure) => Err(failure),
        };
        // What goes wrong with a connection ends that connection.
        if let Err(failure) = told {
            self.shared.log.warn(&failure);
            self.close(fd);
        }
    }

    fn tell_wants(&mut self, fd: RawFd, turn: Turn) -> Result<(), Failure> {
        let Some(Client { connection, told }) = self.clients.get_mut(fd) else {
            return Ok(());
        };
        if turn == Turn::More {
            told.ask_again();
        }
        self.poller.tell(&*connection, told, connection.wants())
    }

    fn close(&mut self, fd: RawFd) {
        if self.clients.remove(fd) {
            self.somebody_left = true;
            self.shared.log.print(Message::EndedDescriptor(fd));
        }
    }
    // ANCHOR_END: serve

    // ANCHOR: accept
    fn accept(&mut self) {
        // Edge-triggered reports a queue that fills, and never again one that
        // was left with clients in it.
        if !self.accept_until_empty() {
            self.told_listener.ask_again();
        }
    }

    /// Accepts while there is room and turn, and says whether that emptied the
    /// queue.
    fn accept_until_empty(&mut self) -> bool {
        for accepted in 0..ACCEPTS_PER_TURN {
            let Some(acceptor) = &mut self.acceptor else { return true };
            if !acceptor.wants(self.clients.count()).read {
                return false;
            }
            let Shared { now, log, .. } = &mut self.shared;
            match acceptor.accept(*now, log) {
                Accepted::Client(socket, peer) => self.welcome(socket, peer),
                Accepted::Gone => {}
                // An event, and nobody there? As with connections: ask again.
                Accepted::Nobody => return accepted > 0,
                Accepted::NotNow => return false,
            }
        }
        false
    }

    fn welcome(&mut self, socket: OwnedFd, peer: SocketAddr) {
        self.shared.log.print(Message::Connected(peer));
        let fd = self.clients.insert(socket, self.shared.now);
        self.after_turn(fd, Ok(Turn::Waiting));
    }

    fn look_after_listener(&mut self) {
        let somebody_left = std::mem::take(&mut self.somebody_left);
        let Some(acceptor) = &mut self.acceptor else { return };
        acceptor.look_up(self.shared.now, somebody_left);
        let wanted = acceptor.wants(self.clients.count());
        let told = &mut self.told_listener;
        if let Err(failure) = self.poller.tell(&*acceptor, told, wanted) {
            acceptor.rest(&failure, self.shared.now, &mut self.shared.log);
        }
    }
    // ANCHOR_END: accept

    /// The first signal: no new clients, and to those that are here the
    /// replies to what they have sent.
    // ANCHOR: stop
    fn stop(&mut self) {
        let Some(number) = self.signals.take() else { return };
        self.shared.log.announce(Message::Stopping(number));
        self.acceptor = None; // close(2): who connects now is refused
        self.deadline = Some(self.shared.now + FAREWELL);
        for fd in self.clients.descriptors() {
            self.see_off(fd);
        }
    }

    fn see_off(&mut self, fd: RawFd) {
        if let Some(client) = self.clients.get_mut(fd) {
            let turn = client.connection.leave(&mut self.shared);
            self.after_turn(fd, turn);
        }
    }
    // ANCHOR_END: stop

    // ANCHOR: idle
    fn look_after_idle_clients(&mut self) {
        let (Some(timeout), Some(due)) = (self.idle_timeout, self.patrol)
        else {
            return;
        };
        let now = self.shared.now;
        if now < due {
            return;
        }
        self.patrol = Some(now + (timeout / 4).min(Duration::from_secs(1)));
        for fd in self.clients.descriptors() {
            let Some(Client { connection, .. }) = self.clients.get_mut(fd)
            else {
                continue;
            };
            if now.duration_since(connection.last_active()) < timeout {
                continue;
            }
            if connection.is_open() {
                self.shared.log.print(Message::Idle);
                self.see_off(fd);
            } else {
                // It was seen off one timeout ago and is still here.
                self.close(fd);
            }
        }
    }
    // ANCHOR_END: idle

    // ANCHOR: time
    fn is_over(&self) -> bool {
        let out_of_time = self.deadline.is_some_and(|d| d <= self.shared.now);
        self.acceptor.is_none() && (out_of_time || self.clients.count() == 0)
    }

    /// How long to wait at the most: until the first thing that is due.
    fn time_left(&self) -> Option<Duration> {
        let rest = self.acceptor.as_ref().and_then(Acceptor::rest_until);
        [rest, self.patrol, self.deadline]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.saturating_duration_since(Instant::now()))
    }
    // ANCHOR_END: time
}
