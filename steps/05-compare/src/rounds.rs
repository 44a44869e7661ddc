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
use indicatif::{ProgressBar, ProgressStyle};

use crate::contestant::Contestant;
use crate::cores::Cores;
use crate::driver::{Times, drive};
use crate::figures::Figures;
use crate::record::Record;
use crate::results::Results;
use crate::scenario::Scenario;
use crate::schedule::Random;
use crate::server::Server;
use crate::trouble::Trouble;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) contestants: Vec<Contestant>,
    /// The index of the one that the others are compared with.
    pub(crate) baseline: usize,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) rounds: usize,
    pub(crate) backlog: i32,
    pub(crate) timeout: Duration,
    pub(crate) cores: Cores,
    /// Programs that wanted a core in the minute before.
    pub(crate) load_average: String,
}

/// How long a load runs before it counts.
const WARM_UP: Duration = Duration::from_millis(50);

impl Plan {
    /// Measures everything, or as much as there is time for until Ctrl-C.
    // ANCHOR: run
    pub(crate) fn run(&self, interrupt: &Signals) -> Results {
        let mut records = self.records();
        let progress = progress_bar(self.rounds * records.len());
        let mut interrupted = false;
        'all: for round in 0..self.rounds {
            for index in self.order(round, records.len()) {
                let record = &mut records[index];
                progress.set_message(format!(
                    "round {} of {}: {}",
                    round + 1,
                    self.rounds,
                    record.name()
                ));
                match self.measure(record, round, interrupt) {
                    Err(Trouble::Interrupted) => {
                        interrupted = true;
                        break 'all;
                    }
                    Err(Trouble::Failed(reason)) => record.note(reason),
                    Ok(()) => {}
                }
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        self.results(records, interrupted)
    }
    // ANCHOR_END: run

    /// For each load every server, and the baseline once more.
    fn records(&self) -> Vec<Record<'_>> {
        let turns = self.contestants.iter().map(|server| (server, false));
        let again = (&self.contestants[self.baseline], true);
        let turns: Vec<_> = turns.chain([again]).collect();
        let of_load = |load| {
            turns
                .iter()
                .map(move |&(server, again)| Record::new(load, server, again))
        };
        self.scenarios.iter().flat_map(of_load).collect()
    }

    /// Load after load, and for each the servers in an order by chance.
    fn order(&self, round: usize, records: usize) -> Vec<usize> {
        let mut random = Random::new(round as u64);
        let mut order: Vec<_> = (0..records).collect();
        for turns in order.chunks_mut(self.contestants.len() + 1) {
            random.shuffle(turns);
        }
        order
    }

    /// One server under one load in one round, in a process of its own: what
    /// one measurement did to it, the next does not find.
    // ANCHOR: measure
    fn measure(
        &self,
        record: &mut Record<'_>,
        round: usize,
        interrupt: &Signals,
    ) -> Result<(), Trouble> {
        let Record { scenario, contestant, .. } = *record;
        if scenario.needs_concurrency() && contestant.serves_one_at_a_time() {
            record.notes.insert(NOT_MEASURED.into());
            return Ok(());
        }
        let times = Times {
            warm_up: WARM_UP,
            duration: scenario.duration.unwrap_or_default(),
            timeout: self.timeout,
        };
        let server =
            Server::start(contestant, self.backlog, self.cores, interrupt)?;
        // The same seed for every server of a round: they get the same load.
        let seed = round as u64;
        let tally = drive(scenario, times, seed, &server, interrupt)?;
        let figures = Figures::of(&tally, round, server.stop());
        // The torn end of a short measurement would only add noise.
        if !tally.interrupted || figures.seconds >= 1.0 {
            record.add(&tally, figures);
        }
        if tally.interrupted { Err(Trouble::Interrupted) } else { Ok(()) }
    }
    // ANCHOR_END: measure

    fn results(&self, records: Vec<Record<'_>>, interrupted: bool) -> Results {
        Results {
            machine: self.machine(),
            baseline: self.contestants[self.baseline].name.clone(),
            rounds: self.rounds,
            loads: self.scenarios.iter().map(Scenario::load).collect(),
            rows: records.into_iter().map(Record::into_row).collect(),
            interrupted,
        }
    }

    fn machine(&self) -> String {
        let system = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        let cores = match self.cores.servers {
            1 => String::from("1 core"),
            count => format!("{count} cores"),
        };
        let own =
            if self.cores.own_core { " and 1 for the client" } else { "" };
        let system = system.unwrap_or_default();
        let (system, load) = (system.trim(), &self.load_average);
        format!(
            "Linux {system}, {cores} for the server{own}, load average {load} \
             at the start"
        )
    }
}

const NOT_MEASURED: &str = "not measured: serves one client at a time";

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
