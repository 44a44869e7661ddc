//! A user: a schedule, and a connection while there is something to wait for.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use epoll::{Interest, Poller};

use super::connection::Connection;
use super::fault::Fault;
use crate::scenario::{Connections, Scenario};
use crate::schedule::{Random, Schedule};

/// Addresses to connect from, 127.0.0.1 the first.
const SOURCES: u64 = 32;

/// A connection, and what epoll waits for on it.
#[derive(Debug)]
struct Line {
    connection: Connection,
    registered: Option<Interest>,
}

/// One of the users.
// ANCHOR: user
#[derive(Debug)]
pub(crate) struct User {
    token: u64,
    schedule: Schedule,
    connections: Connections,
    line: Option<Line>,
    /// For each request that waits for its reply: when it was due.
    awaited: VecDeque<Instant>,
    /// Its first request is over.
    pub(crate) is_in: bool,
}
// ANCHOR_END: user

impl User {
    pub(crate) fn new(index: usize, scenario: &Scenario, seed: u64) -> Self {
        let pacing = scenario.pacing(index);
        Self {
            token: index as u64,
            schedule: Schedule::new(pacing, Random::new(seed)),
            connections: scenario.connections,
            line: None,
            awaited: VecDeque::new(),
            is_in: false,
        }
    }

    /// See [`Schedule::first`].
    pub(crate) fn first(&mut self, count: usize) -> Duration {
        self.schedule.first(self.token as usize, count)
    }

    /// See [`Schedule::next`].
    pub(crate) fn next(
        &mut self,
        due: Instant,
        now: Instant,
    ) -> Option<Instant> {
        self.schedule.next(due, now)
    }

    /// Sends a request for each of `dues`, on the connection that there is or
    /// on a new one.
    ///
    /// # Errors
    /// There is no connection to be had, or it is broken.
    // ANCHOR: ask
    pub(crate) fn ask(
        &mut self,
        dues: &[Instant],
        server: SocketAddr,
        poller: &Poller,
    ) -> Result<(), Fault> {
        self.awaited.extend(dues);
        let source = self.source(server);
        let line = match &mut self.line {
            Some(line) => line,
            none => none.insert(Line {
                connection: Connection::open(server, source)?,
                registered: None,
            }),
        };
        line.connection.ask(dues.len())?;
        line.register(poller, self.token)
    }
    // ANCHOR_END: ask

    /// Where a user connects from who does so for each request. A port rests
    /// for 1 to 2 s after its connection (TIME_WAIT), and an address has about
    /// 28,000 of them: from one address 14,000 connections a second would be
    /// the end. On this machine there are more addresses than one.
    fn source(&self, server: SocketAddr) -> Option<SocketAddr> {
        let loopback = server.ip() == Ipv4Addr::LOCALHOST;
        let short = self.connections == Connections::PerRequest;
        (loopback && short).then(|| {
            let last = 1 + (self.token % SOURCES) as u8;
            SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))
        })
    }

    /// Takes what has come from the server, and adds to `answered` when each
    /// request was due that is answered now.
    ///
    /// # Errors
    /// The connection is broken, the server ended it, or a reply is wrong.
    // ANCHOR: hear
    pub(crate) fn hear(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
        poller: &Poller,
        answered: &mut Vec<Instant>,
    ) -> Result<(), Fault> {
        // None is ordinary: the event may be that of a connection that is
        // closed by now.
        let Some(line) = &mut self.line else { return Ok(()) };
        let (replies, result) = line.connection.advance(hang_up, buffer);
        let known = replies.min(self.awaited.len());
        answered.extend(self.awaited.drain(..known));
        if known < replies {
            return Err(Fault::WrongReply); // nobody asked
        }
        if self.connections == Connections::PerRequest && known > 0 {
            self.line = None; // close(2)
            return Ok(());
        }
        result?;
        line.register(poller, self.token)
    }
    // ANCHOR_END: hear

    /// Closes the connection and returns the requests that were not answered.
    pub(crate) fn hang_up(&mut self) -> VecDeque<Instant> {
        self.line = None;
        std::mem::take(&mut self.awaited)
    }

    /// How many requests wait for their reply.
    pub(crate) fn waiting(&self) -> usize {
        self.awaited.len()
    }

    /// When the request was due that has waited longest for its reply.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.awaited.front().copied()
    }
}

impl Line {
    /// Makes epoll wait for what the connection waits for now.
    fn register(&mut self, poller: &Poller, token: u64) -> Result<(), Fault> {
        let Self { connection, registered } = self;
        let wanted = connection.wants();
        let result = match *registered {
            Some(interest) if interest == wanted => Ok(()),
            Some(_) => poller.reregister(&*connection, token, wanted),
            None => poller.register(&*connection, token, wanted),
        };
        *registered = Some(wanted);
        result.map_err(|error| {
            Fault::Failed(error.source.raw_os_error().unwrap_or_default())
        })
    }
}
