//! The rounds: in each, every server takes its turn under every load.
//!
//! A machine is never equally fast for long. Servers that are measured one
//! after the other are measured on different machines, so to speak; servers
//! that take turns, in another order each round, share its moods.
//!
//! One server takes two turns in each round. It is compared with itself, and
//! how much it seems to differ from itself is what the measurement is worth.

use std::time::Duration;

use epoll::Signals;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};

use crate::driver::{Times, drive};
use crate::error::Error;
use crate::load::scenario::Scenario;
use crate::results::builder::{Measured, RowBuilder};
use crate::results::row::{Load, Results, Setup};
use crate::target::affinity::Affinity;
use crate::target::process::Server;
use crate::target::target::Target;

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

/// How long a load runs before it counts.
const WARM_UP: Duration = Duration::from_millis(50);
const NOT_MEASURED: &str = "not measured: serves one client at a time";

/// One row in the making, and what is to be measured for it.
struct Turn<'a> {
    scenario: &'a Scenario,
    target: &'a Target,
    row: RowBuilder,
}

impl Plan {
    /// Measures everything, or as much as there is time for until Ctrl-C.
    // ANCHOR: run
    pub(crate) fn run(&self, setup: Setup, interrupt: &Signals) -> Results {
        let mut turns = self.turns();
        let progress = progress_bar(self.rounds * turns.len());
        let mut interrupted = false;
        'all: for round in 0..self.rounds {
            for index in self.order(round, turns.len()) {
                let turn = &mut turns[index];
                progress.set_message(format!(
                    "round {} of {}: {}, {}",
                    round + 1,
                    self.rounds,
                    turn.scenario.name,
                    turn.target.name
                ));
                match self.measure(turn, round, interrupt) {
                    Err(Error::Interrupted) => {
                        interrupted = true;
                        break 'all;
                    }
                    // That is a result, too: the worst there is.
                    Err(Error::Failed(reason)) => {
                        turn.row.add_failure(round, reason);
                    }
                    Err(Error::Client(reason)) => turn.row.fail(&reason),
                    Ok(()) => {}
                }
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        Results {
            setup,
            baseline: self.targets[self.baseline].name.clone(),
            loads: self.scenarios.iter().map(load).collect(),
            rows: turns.into_iter().map(|turn| turn.row.build()).collect(),
            interrupted,
        }
    }
    // ANCHOR_END: run

    /// For each load every server, and the baseline once more.
    fn turns(&self) -> Vec<Turn<'_>> {
        let servers = self.targets.iter().map(|target| (target, false));
        let again = (&self.targets[self.baseline], true);
        let servers: Vec<_> = servers.chain([again]).collect();
        let of_load = |scenario| {
            servers.iter().map(move |&(target, again)| {
                let row = RowBuilder::new(scenario, &target.name, again);
                (row, target)
            })
        };
        let turns = self.scenarios.iter().flat_map(|scenario| {
            of_load(scenario.name).map(move |(row, target)| Turn {
                scenario,
                target,
                row,
            })
        });
        turns.collect()
    }

    /// Load after load, and for each the servers in an order by chance.
    fn order(&self, round: usize, turns: usize) -> Vec<usize> {
        let mut random = Rng::with_seed(round as u64);
        let mut order: Vec<_> = (0..turns).collect();
        for of_load in order.chunks_mut(self.targets.len() + 1) {
            random.shuffle(of_load);
        }
        order
    }

    /// One server under one load in one round, in a process of its own: what
    /// one measurement did to it, the next does not find.
    // ANCHOR: measure
    fn measure(
        &self,
        turn: &mut Turn<'_>,
        round: usize,
        interrupt: &Signals,
    ) -> Result<(), Error> {
        let Turn { scenario, target, row } = turn;
        if scenario.needs_concurrency() && target.serves_one_at_a_time() {
            row.skip(NOT_MEASURED);
            return Ok(());
        }
        let times = Times {
            warm_up: WARM_UP,
            duration: scenario.duration.unwrap_or_default(),
            timeout: self.timeout,
        };
        let server =
            Server::start(target, self.backlog, &self.affinity, interrupt)?;
        // The same seed for every server of a round: they get the same load.
        let seed = round as u64;
        let measured = drive(scenario, times, seed, &server, interrupt)?;
        let interrupted = measured.interrupted;
        // The torn end of a short measurement would only add noise.
        if !interrupted || measured.stats.seconds >= 1.0 {
            row.add(with_switches(measured, round, server.stop()));
        }
        if interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }
    // ANCHOR_END: measure
}

/// `switches` are those of the server's whole life.
fn with_switches(
    mut measured: Measured,
    round: usize,
    switches: u64,
) -> Measured {
    let answered = measured.answered.max(1);
    measured.stats.switches_per_request = switches as f64 / answered as f64;
    measured.stats.round = round;
    measured
}

fn load(scenario: &Scenario) -> Load {
    Load {
        name: scenario.name.into(),
        description: scenario.describe(),
        connections: scenario.users,
        duration: scenario.duration.unwrap_or_default().as_secs_f64(),
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
    // A soak shows that it lives.
    bar.enable_steady_tick(Duration::from_secs(1));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
