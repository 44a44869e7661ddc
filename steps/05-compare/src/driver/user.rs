//! A user: a pacing, and a connection while there is something to wait for.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use epoll::Poller;
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

#[derive(Debug)]
pub(crate) struct User {
    token: u64,
    pub(crate) pacing: Pacing,
    pub(crate) random: Rng,
    /// Its connection outlives a request.
    kept: bool,
    pub(crate) connection: Option<Connection>,
    /// In the order in which their replies come.
    pub(crate) in_flight: VecDeque<Request>,
    /// Its first request is over, well or not.
    pub(crate) is_ready: bool,
}

impl User {
    pub(crate) fn new(index: usize, scenario: &Scenario, seed: u64) -> Self {
        let token = index as u64;
        Self {
            token,
            pacing: scenario.pacing(index),
            random: Rng::with_seed(seed),
            kept: scenario.kept,
            connection: None,
            in_flight: VecDeque::new(),
            is_ready: false,
        }
    }

    pub(crate) fn next(
        &mut self,
        due: Instant,
        now: Instant,
    ) -> Option<Instant> {
        self.pacing.next(due, now, &mut self.random)
    }

    /// Sends a request for each of `dues`; connects where it has no connection.
    pub(crate) fn send_requests(
        &mut self,
        dues: &[Instant],
        server: SocketAddrV4,
        poller: &Poller,
    ) -> Result<(), ErrorKind> {
        let sent = Instant::now();
        let requests = dues.iter().map(|&due| Request { due, sent });
        self.in_flight.extend(requests);
        let source = self.source();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(server, source)?),
        };
        connection.send_requests(dues.len())?;
        connection.register(poller, self.token)
    }

    /// Where a user connects from that does so for each request: the ports of
    /// one address would be in TIME_WAIT before long.
    fn source(&self) -> Option<Ipv4Addr> {
        let last = 1 + (self.token % SOURCES) as u8;
        (!self.kept).then(|| Ipv4Addr::new(127, 0, 0, last))
    }

    /// Takes what has come from the server, and returns the requests that are
    /// answered now, whatever comes after their replies.
    pub(crate) fn on_readable(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
        poller: &Poller,
    ) -> (Vec<Request>, Result<(), ErrorKind>) {
        let Some(connection) = &mut self.connection else {
            // Ordinary: the connection may be closed by now.
            return (Vec::new(), Ok(()));
        };
        let (replies, result) = connection.advance(hang_up, buffer);
        let known = replies.min(self.in_flight.len());
        let answered: Vec<_> = self.in_flight.drain(..known).collect();
        if known < replies {
            return (answered, Err(ErrorKind::UnrequestedReply));
        }
        if !self.kept && known > 0 {
            self.connection = None; // close(2)
            return (answered, Ok(()));
        }
        let token = self.token;
        (answered, result.and_then(|()| connection.register(poller, token)))
    }

    /// Closes the connection and returns the requests that were not answered.
    pub(crate) fn close(&mut self) -> VecDeque<Request> {
        self.connection = None;
        std::mem::take(&mut self.in_flight)
    }

    /// Reads what comes after that, up to the server's FIN, and counts replies.
    pub(crate) fn on_drain(&mut self, hang_up: bool, buffer: &mut [u8]) -> u64 {
        let Some(connection) = &mut self.connection else { return 0 };
        let (replies, result) = connection.advance(hang_up, buffer);
        if result.is_err() {
            self.connection = None; // an end in any form is one
        }
        replies as u64
    }
}
