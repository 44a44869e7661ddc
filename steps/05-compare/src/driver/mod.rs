//! The load: thousands of users in one event loop.
//!
//! It is the loop of step 04 from the other side. There the events come from
//! clients and each has a connection; here they come from the server and from
//! the clock, and each user has a connection while it waits for a reply.

mod connection;
mod ramp_up;
pub(crate) mod recorder;
mod requests;
mod timers;
mod user;

use std::time::{Duration, Instant};

use epoll::{Interest, Poller, Signals, Trigger};
use fastrand::Rng;
use hdrhistogram::Histogram;
use load_client::ErrorKind;

use crate::error::Error;
use crate::load::scenario::Scenario;
use crate::results::round::Round;
use crate::target::process::Server;
use recorder::{Recorder, describe};
use timers::Timers;
use user::User;

/// A user's token is its number; these are none.
const TIMER: u64 = u64::MAX;
const INTERRUPT: u64 = u64::MAX - 1;

/// Bytes asked of the kernel at once.
const READ_SIZE: usize = 4 * 1_024;

/// How long a load runs before it counts.
const WARM_UP: Duration = Duration::from_millis(50);

/// One measurement.
pub(crate) struct Driver<'a> {
    scenario: &'a Scenario,
    timeout: Duration,
    server: &'a Server,
    interrupt: &'a Signals,
    poller: Poller,
    timers: Timers,
    users: Vec<User>,
    /// The users from here on have not connected yet.
    next_user: usize,
    /// So many users have had a first reply, or none in time.
    users_ready: usize,
    /// Users send at their own pace.
    has_started: bool,
    /// All requests are over: connections are closed in order.
    is_draining: bool,
    buffer: Box<[u8]>,
    recorder: Recorder,
    /// What we lacked to send a request: ports, descriptors.
    client_error: Option<ErrorKind>,
}

impl<'a> Driver<'a> {
    /// Puts `server` under the load of `scenario` when it is run. A request may
    /// take `timeout`; `seed` decides on the think times.
    pub(crate) fn new(
        scenario: &'a Scenario,
        timeout: Duration,
        seed: u64,
        server: &'a Server,
        interrupt: &'a Signals,
    ) -> Result<Self, Error> {
        let poller = Poller::new(Trigger::Edge)?;
        let timers = Timers::new()?;
        poller.register(&timers, TIMER, Interest::READABLE)?;
        poller.register(interrupt, INTERRUPT, Interest::READABLE)?;
        let mut recorder = Recorder::new(server.process.group(), scenario);
        if !scenario.kept {
            // An error here will show in the measurement.
            recorder.unrequested(server.extra_replies().unwrap_or(0));
        }
        let mut random = Rng::with_seed(seed);
        let users = (0..scenario.users)
            .map(|index| User::new(index, scenario, random.u64(..)))
            .collect();
        Ok(Self {
            scenario,
            timeout,
            server,
            interrupt,
            poller,
            timers,
            users,
            next_user: 0,
            users_ready: 0,
            has_started: false,
            is_draining: false,
            buffer: vec![0; READ_SIZE].into(),
            recorder,
            client_error: None,
        })
    }

    /// The figures, and all latencies. An error is Ctrl-C before there was
    /// anything to show, or the server's end.
    pub(crate) fn run(mut self) -> Result<(Round, Histogram<u64>), Error> {
        let mut events = Vec::new();
        self.start();
        while !self.is_finished() {
            self.timers.arm()?;
            self.poller.wait(&mut events, None)?;
            for event in &events {
                match event.token {
                    TIMER => {} // timers are run in any case
                    INTERRUPT if self.interrupt.read().is_some() => {
                        return self.finish_early();
                    }
                    INTERRUPT => {}
                    user => self.on_event(user as usize, event.hang_up),
                }
            }
            self.ramp_up();
            self.run_timers()?;
        }
        self.check()?;
        Ok(self.recorder.finish())
    }

    /// Ctrl-C: what there is so far of a long measurement. What still waits is
    /// most likely slow, and counts with the time that it has waited.
    fn finish_early(mut self) -> Result<(Round, Histogram<u64>), Error> {
        if self.recorder.begin.is_none() {
            return Err(Error::Interrupted);
        }
        let now = Instant::now();
        self.end(now);
        self.recorder.interrupt();
        self.give_up(now);
        Ok(self.recorder.finish())
    }

    /// A server whose guard has ended has ended, too. What we lack is not its
    /// failure.
    fn check(&self) -> Result<(), Error> {
        if let Some(error) = self.client_error {
            return Err(Error::ours(describe(error)));
        }
        let exit = self.server.process.has_exited();
        exit.map_or(Ok(()), |reason| Err(Error::Failed(reason)))
    }

    /// All requests that were due are over, and all connections closed.
    fn is_finished(&mut self) -> bool {
        let Some(end) = self.recorder.end else { return false };
        let mut users = self.users.iter();
        if users.any(|user| !user.in_flight.is_empty())
            || self.timers.has_request(end)
        {
            return false;
        }
        self.drain();
        self.users.iter().all(|user| user.connection.is_none())
    }
}
