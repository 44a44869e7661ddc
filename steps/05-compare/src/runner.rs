//! The rounds: in each, every server takes its turn under every load.
//!
//! A machine is never equally fast for long: servers that take turns, in
//! another order each round, share that. One takes two turns in each round: how
//! much it seems to differ from itself is what the measurement is worth.

use std::thread;
use std::time::Duration;

use epoll::Signals;
use fastrand::Rng;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use nix::sys::resource::{Resource, getrlimit};

use crate::driver::Driver;
use crate::error::Error;
use crate::load::scenario::Scenario;
use crate::results::latencies::{histogram, quantiles};
use crate::results::round::Round;
use crate::results::row::{Load, Results, Row, Setup};
use crate::target::Target;
use crate::target::affinity::Affinity;
use crate::target::process::Server;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) targets: Vec<Target>,
    /// The index of the one that the others are compared with.
    pub(crate) baseline: usize,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) rounds: usize,
    pub(crate) backlog: i32,
    pub(crate) timeout: Duration,
    pub(crate) affinity: Affinity,
}

/// Descriptors that are not a connection's, to read `/proc` among them.
const RESERVED_FDS: usize = 64;
const NOT_MEASURED: &str = "not measured: serves one client at a time";

/// One row in the making, and what is to be measured for it.
struct Turn<'a> {
    scenario: &'a Scenario,
    target: &'a Target,
    row: Row,
    /// Of all rounds.
    latencies: Histogram<u64>,
}

impl Plan {
    /// Measures everything, or as much as there is time for until Ctrl-C.
    pub(crate) fn run(&self, setup: Setup, interrupt: &Signals) -> Results {
        let mut turns = self.turns();
        let progress = progress_bar(self.rounds * turns.len());
        let mut interrupted = false;
        for (round, index) in self.order(turns.len()) {
            let turn = &mut turns[index];
            let (load, server) = (turn.scenario.name, &turn.target.name);
            let (number, all) = (round + 1, self.rounds);
            progress.set_message(format!(
                "round {number} of {all}: {load}, {server}"
            ));
            match self.measure(turn, round, interrupt) {
                Err(Error::Interrupted) => {
                    interrupted = true;
                    break;
                }
                // That is a result, too: the worst there is.
                Err(Error::Failed(reason)) => {
                    let failure = Some(reason);
                    let failed = Round { round, failure, ..Round::default() };
                    turn.row.rounds.push(failed);
                }
                Err(Error::Client(reason)) => {
                    turn.row.skipped = Some(reason);
                    turn.row.client_failed = true;
                }
                Ok(()) => {}
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        let rows = turns.into_iter().map(|Turn { row, latencies, .. }| Row {
            latencies: quantiles(&latencies),
            ..row
        });
        Results {
            setup,
            baseline: self.targets[self.baseline].name.clone(),
            loads: self.scenarios.iter().map(load).collect(),
            rows: rows.collect(),
            interrupted,
        }
    }

    /// For each load every server, and the baseline once more.
    fn turns(&self) -> Vec<Turn<'_>> {
        let mut turns = Vec::new();
        for scenario in &self.scenarios {
            let servers = self.targets.iter().map(|target| (target, false));
            let again = (&self.targets[self.baseline], true);
            turns.extend(servers.chain([again]).map(|(target, again)| {
                let (load, server) = (scenario.name.into(), &target.name);
                let server = server.clone();
                let row = Row { load, server, again, ..Row::default() };
                Turn { scenario, target, row, latencies: histogram() }
            }));
        }
        turns
    }

    /// In each round load after load, and for each the servers in an order by
    /// chance: the round, and the index of the turn.
    fn order(&self, turns: usize) -> Vec<(usize, usize)> {
        let of_round = |round| {
            let mut random = Rng::with_seed(round as u64);
            let mut order: Vec<_> =
                (0..turns).map(|index| (round, index)).collect();
            for of_load in order.chunks_mut(self.targets.len() + 1) {
                random.shuffle(of_load);
            }
            order
        };
        (0..self.rounds).flat_map(of_round).collect()
    }

    /// One server under one load in one round, in a process of its own: what
    /// one measurement did to it, the next does not find.
    fn measure(
        &self,
        turn: &mut Turn<'_>,
        number: usize,
        interrupt: &Signals,
    ) -> Result<(), Error> {
        let Turn { scenario, target, row, latencies } = turn;
        if target.one_at_a_time && scenario.kept && scenario.users > 1 {
            row.skipped = Some(NOT_MEASURED.into());
            return Ok(());
        }
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
        let needed = scenario.users + RESERVED_FDS;
        if needed as u64 > limit {
            return Err(Error::ours(format!(
                "needs {needed} descriptors and may have {limit}: ulimit -Hn"
            )));
        }
        let server = Server::start(target, &self.affinity, interrupt)?;
        // The same seed for every server of a round: they get the same load.
        let seed = number as u64;
        let driver =
            Driver::new(scenario, self.timeout, seed, &server, interrupt)?;
        let (mut round, of_round) = driver.run()?;
        let interrupted = round.interrupted;
        // The torn end of a short measurement would only add noise.
        if !interrupted || round.seconds >= 1.0 {
            round.round = number;
            // The switches are those of the server's whole life.
            let answered = round.answered.max(1) as f64;
            round.switches_per_request = server.stop() / answered;
            // All have the same bounds, so they can be added.
            let _ = latencies.add(of_round);
            row.rounds.push(round);
        }
        if interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }
}

fn load(scenario: &Scenario) -> Load {
    Load {
        name: scenario.name.into(),
        description: scenario.describe(),
        connections: scenario.users,
        duration: scenario.duration.as_secs_f64(),
        paced: scenario.is_paced(),
        idle: scenario.is_idle(),
    }
}

/// Shown on a terminal, and nowhere else.
fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {pos}/{len}  {msg}  {elapsed}  (Ctrl-C ends it with what \
         there is)",
    );
    let bar = ProgressBar::new(length as u64);
    // A soak shows that it lives: by a thread, which panics where none is to be
    // had.
    if thread::Builder::new().spawn(|| ()).is_ok() {
        bar.enable_steady_tick(Duration::from_secs(1));
    }
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
