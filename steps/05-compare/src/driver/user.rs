//! A user: a pacing, and a connection while there is something to wait for.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use epoll::{Interest, Poller};
use fastrand::Rng;
use load_client::ErrorKind;

use super::connection::Connection;
use crate::load::pacing::Pacing;
use crate::load::scenario::Scenario;

/// Addresses to connect from, 127.0.0.1 the first.
const SOURCES: u64 = 32;

/// A request that waits for its reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) due: Instant,
    pub(crate) sent: Instant,
}

/// One of the users.
// ANCHOR: user
#[derive(Debug)]
pub(crate) struct User {
    token: u64,
    pub(crate) pacing: Pacing,
    random: Rng,
    /// Its connection outlives a request.
    kept: bool,
    pub(crate) connection: Option<Connection>,
    /// What the kernel waits for on that connection.
    registered: Option<Interest>,
    /// In the order in which their replies come.
    pub(crate) in_flight: VecDeque<Request>,
    /// Its first request is over, well or not.
    pub(crate) is_ready: bool,
}
// ANCHOR_END: user

impl User {
    pub(crate) fn new(index: usize, scenario: &Scenario, seed: u64) -> Self {
        let token = index as u64;
        Self {
            token,
            pacing: scenario.pacing(index),
            random: Rng::with_seed(seed),
            kept: scenario.kept,
            connection: None,
            registered: None,
            in_flight: VecDeque::new(),
            is_ready: false,
        }
    }

    /// See [`Pacing::first`].
    pub(crate) fn first(&mut self, index: usize, count: usize) -> Duration {
        self.pacing.first(index, count, &mut self.random)
    }

    /// See [`Pacing::next`].
    pub(crate) fn next(
        &mut self,
        due: Instant,
        now: Instant,
    ) -> Option<Instant> {
        self.pacing.next(due, now, &mut self.random)
    }

    /// Sends a request for each of `dues`, on the connection that there is or
    /// on a new one.
    // ANCHOR: send_requests
    pub(crate) fn send_requests(
        &mut self,
        dues: &[Instant],
        server: SocketAddr,
        poller: &Poller,
    ) -> Result<(), ErrorKind> {
        let sent = Instant::now();
        let requests = dues.iter().map(|&due| Request { due, sent });
        self.in_flight.extend(requests);
        let source = self.source(server);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                self.registered = None;
                none.insert(Connection::open(server, source)?)
            }
        };
        connection.send_requests(dues.len())?;
        self.register(poller)
    }
    // ANCHOR_END: send_requests

    /// Where a user connects from that does so for each request. A port is in
    /// TIME_WAIT for 1 to 2 s after its connection, and an address has about
    /// 28,000 of them: from one address 14,000 connections a second would be
    /// the end. On this machine there are more addresses than one.
    fn source(&self, server: SocketAddr) -> Option<SocketAddr> {
        let loopback = server.ip() == Ipv4Addr::LOCALHOST;
        (loopback && !self.kept).then(|| {
            let last = 1 + (self.token % SOURCES) as u8;
            SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))
        })
    }

    /// Takes what has come from the server, and adds to `answered` the requests
    /// that are answered now.
    // ANCHOR: on_readable
    pub(crate) fn on_readable(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
        poller: &Poller,
        answered: &mut Vec<Request>,
    ) -> Result<(), ErrorKind> {
        // None is ordinary: the event may be that of a connection that is
        // closed by now.
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let (replies, result) = connection.advance(hang_up, buffer);
        let known = replies.min(self.in_flight.len());
        answered.extend(self.in_flight.drain(..known));
        if known < replies {
            return Err(ErrorKind::UnrequestedReply);
        }
        if !self.kept && known > 0 {
            self.connection = None; // close(2)
            return Ok(());
        }
        result?;
        self.register(poller)
    }
    // ANCHOR_END: on_readable

    /// Registers what the connection waits for now.
    fn register(&mut self, poller: &Poller) -> Result<(), ErrorKind> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let interest = connection.interest();
        let registered = match self.registered.replace(interest) {
            Some(before) if before == interest => Ok(()),
            Some(_) => poller.reregister(connection, self.token, interest),
            None => poller.register(connection, self.token, interest),
        };
        registered.map_err(|error| error.source.into())
    }

    /// Closes the connection and returns the requests that were not answered.
    pub(crate) fn close(&mut self) -> VecDeque<Request> {
        self.connection = None;
        std::mem::take(&mut self.in_flight)
    }

    /// Reads what comes after that, up to the server's FIN. Returns how many
    /// replies there were.
    pub(crate) fn on_drain(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
        poller: &Poller,
    ) -> u64 {
        let Some(connection) = &mut self.connection else { return 0 };
        let (replies, result) = connection.advance(hang_up, buffer);
        if result.and_then(|()| self.register(poller)).is_err() {
            self.connection = None; // an end in any form is one
        }
        replies as u64
    }
}
