//! The load: thousands of users in one event loop.
//!
//! It is the loop of step 04 from the other side. There the events come from
//! clients and each has a connection; here they come from the server and from
//! the clock, and each user has a connection while it waits for a reply.

mod agenda;
mod connection;
mod fault;
mod requests;
mod tally;
mod user;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use epoll::{Interest, Poller, Signals, Trigger};

use crate::kernel::Counters;
use crate::meter::{CpuTime, Meter};
use crate::scenario::Scenario;
use crate::schedule::Random;
use crate::server::Server;
use crate::trouble::Trouble;
use agenda::Agenda;
pub(crate) use tally::{SAMPLE_PERIOD, Tally, histogram};
use user::User;

/// A user's token is its number; these are none.
const TIMER: u64 = u64::MAX;
const INTERRUPT: u64 = u64::MAX - 1;
const SERVER: u64 = u64::MAX - 2;

/// Bytes asked of the kernel at once.
const READ_SIZE: usize = 4 * 1_024;

/// How long the parts of a measurement take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The load runs so long before it counts.
    pub(crate) warm_up: Duration,
    /// It counts for so long.
    pub(crate) duration: Duration,
    /// A request may take so long.
    pub(crate) timeout: Duration,
}

/// Puts `server` under the load of `scenario`. `seed` decides on the think
/// times.
///
/// # Errors
/// Ctrl-C before there was anything to show, or the server ended.
pub(crate) fn drive(
    scenario: &Scenario,
    times: Times,
    seed: u64,
    server: &Server,
    interrupt: &Signals,
) -> Result<Tally, Trouble> {
    Driver::new(scenario, times, seed, server, interrupt)?.run()
}

/// One measurement.
// ANCHOR: struct
struct Driver<'a> {
    scenario: &'a Scenario,
    times: Times,
    server: &'a Server,
    lifeline_is_cut: bool,
    interrupted: bool,
    address: SocketAddr,
    interrupt: &'a Signals,
    poller: Poller,
    agenda: Agenda,
    users: Vec<User>,
    /// The users from here on have not come yet.
    next_to_come: usize,
    /// So many have come, and their first request is over.
    users_in: usize,
    /// Those who are in and wait for the others.
    held: Vec<usize>,
    /// Requests on the way.
    in_flight: usize,
    buffer: Box<[u8]>,
    /// What is to be sent to the server in this moment: due since when.
    ready: Vec<Instant>,
    meter: Meter,
    cpu_at_begin: CpuTime,
    counters_at_begin: Counters,
    tally: Tally,
}
// ANCHOR_END: struct

impl<'a> Driver<'a> {
    fn new(
        scenario: &'a Scenario,
        times: Times,
        seed: u64,
        server: &'a Server,
        interrupt: &'a Signals,
    ) -> Result<Self, Trouble> {
        let poller = Poller::new(Trigger::Edge)?;
        let agenda = Agenda::new()?;
        poller.register(&agenda, TIMER, Interest::READABLE)?;
        poller.register(interrupt, INTERRUPT, Interest::READABLE)?;
        server.watch(&poller, SERVER)?;
        let mut random = Random::new(seed);
        let users = (0..scenario.users)
            .map(|index| User::new(index, scenario, random.number()))
            .collect();
        let (address, meter) = (server.address, Meter::new(server.pid()));
        Ok(Self {
            scenario,
            times,
            server,
            lifeline_is_cut: false,
            interrupted: false,
            address,
            interrupt,
            poller,
            agenda,
            users,
            next_to_come: 0,
            users_in: 0,
            held: Vec::new(),
            in_flight: 0,
            buffer: vec![0; READ_SIZE].into(),
            ready: Vec::new(),
            meter,
            cpu_at_begin: CpuTime::default(),
            counters_at_begin: Counters::default(),
            tally: Tally::new(scenario.users),
        })
    }

    // ANCHOR: run
    fn run(mut self) -> Result<Tally, Trouble> {
        self.open();
        let mut events = Vec::new();
        while !self.is_over() {
            self.agenda.set_timer()?;
            self.poller.wait(&mut events, None)?;
            for event in &events {
                match event.token {
                    TIMER => {} // the agenda is looked at in any case
                    INTERRUPT => {
                        self.interrupted |= self.interrupt.read().is_some()
                    }
                    SERVER => self.lifeline_is_cut = true,
                    user => self.attend(user as usize, event.hang_up),
                }
            }
            self.look_after_server()?;
            if self.interrupted {
                return self.part();
            }
            self.let_in();
            self.keep_agenda();
        }
        Ok(self.finish())
    }
    // ANCHOR_END: run

    /// Ctrl-C: what there is so far of a long measurement.
    fn part(mut self) -> Result<Tally, Trouble> {
        if !self.tally.has_begun() {
            return Err(Trouble::Interrupted);
        }
        self.end(Instant::now());
        Ok(self.finish())
    }

    fn finish(mut self) -> Tally {
        self.tally.counters = Counters::now().since(self.counters_at_begin);
        self.tally.interrupted = self.interrupted;
        self.tally
    }

    /// A server whose stdin is closed has ended, or is about to; or it merely
    /// does without.
    fn look_after_server(&self) -> Result<(), Trouble> {
        let end = self.lifeline_is_cut.then(|| self.server.end()).flatten();
        end.map_or(Ok(()), |reason| Err(reason.into()))
    }

    fn is_over(&self) -> bool {
        self.tally.has_ended() && self.in_flight == 0
    }
}
