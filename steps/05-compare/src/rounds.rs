//! The rounds: in each, every server takes its turn under every load.
//!
//! A machine is never equally fast for long. Servers that are measured one
//! after the other are measured on different machines, so to speak; servers
//! that take turns, in another order each round, share its moods.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::contestant::Contestant;
use crate::driver::{Fault, Times, drive};
use crate::figures::Figures;
use crate::interrupt::Interrupt;
use crate::scenario::Scenario;
use crate::schedule::Random;
use crate::server::Server;
use crate::statistics::median;
use crate::trouble::Trouble;

/// A client thread that is busy for more of the time than this is what limits
/// the throughput.
const CLIENT_BUSY: f64 = 0.9;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) contestants: Vec<Contestant>,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) rounds: usize,
    pub(crate) backlog: i32,
    pub(crate) warm_up: Duration,
    pub(crate) timeout: Duration,
}

/// One server under one load, in all rounds.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) scenario: usize,
    pub(crate) contestant: usize,
    /// Why it is not measured at all.
    pub(crate) absent: Option<&'static str>,
    /// Why it could not be measured in this round or that.
    pub(crate) troubles: Vec<String>,
    pub(crate) rounds: Vec<Figures>,
}

/// All rows, and whether there would have been more.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    pub(crate) interrupted: bool,
}

impl Plan {
    /// Measures everything, or as much as there is time for until Ctrl-C.
    // ANCHOR: run
    pub(crate) fn run(&self, interrupt: &Interrupt) -> Results {
        let mut rows = self.empty_rows();
        let progress = progress_bar(self.rounds * rows.len());
        let mut interrupted = false;
        'all: for round in 0..self.rounds {
            for index in self.order(round, &rows) {
                let row = &mut rows[index];
                progress.inc(1);
                if row.absent.is_some() {
                    continue;
                }
                let (load, server) = self.names(row);
                progress.set_message(format!(
                    "round {} of {}: {load}, {server}",
                    round + 1,
                    self.rounds
                ));
                match self.measure(row, round, interrupt) {
                    Ok(figures) => row.rounds.push(figures),
                    Err(Trouble::Interrupted) => {
                        interrupted = true;
                        break 'all;
                    }
                    Err(Trouble::Failed(reason)) => row.note(reason),
                }
            }
        }
        progress.finish_and_clear();
        Results { rows, interrupted }
    }
    // ANCHOR_END: run

    fn empty_rows(&self) -> Vec<Row> {
        let servers = 0..self.contestants.len();
        (0..self.scenarios.len())
            .flat_map(|load| servers.clone().map(move |server| (load, server)))
            .map(|(scenario, contestant)| Row {
                scenario,
                contestant,
                absent: self.absence(scenario, contestant),
                troubles: Vec::new(),
                rounds: Vec::new(),
            })
            .collect()
    }

    fn absence(&self, load: usize, server: usize) -> Option<&'static str> {
        let concurrent = self.scenarios[load].needs_concurrency();
        let one_at_a_time = self.contestants[server].serves_one_at_a_time();
        (concurrent && one_at_a_time)
            .then_some("serves one client at a time: not measured")
    }

    /// Load after load, and for each the servers in an order by chance.
    fn order(&self, round: usize, rows: &[Row]) -> Vec<usize> {
        let mut random = Random::new(round as u64);
        let mut order: Vec<_> = (0..rows.len()).collect();
        for servers in order.chunks_mut(self.contestants.len()) {
            random.shuffle(servers);
        }
        order
    }

    pub(crate) fn names(&self, row: &Row) -> (&str, &str) {
        let contestant = &self.contestants[row.contestant];
        (self.scenarios[row.scenario].name, &contestant.name)
    }

    /// One server under one load in one round, in a process of its own: what
    /// one measurement did to it, the next does not find.
    // ANCHOR: measure
    fn measure(
        &self,
        row: &Row,
        round: usize,
        interrupt: &Interrupt,
    ) -> Result<Figures, Trouble> {
        let scenario = &self.scenarios[row.scenario];
        let contestant = &self.contestants[row.contestant];
        let mut server = Server::start(contestant, self.backlog, interrupt)?;
        let times = Times {
            warm_up: self.warm_up,
            duration: scenario.duration.unwrap_or_default(),
            timeout: self.timeout,
        };
        // The same seed for every server of a round: they get the same load.
        let seed = round as u64;
        let tally = drive(scenario, times, seed, &mut server, interrupt)?;
        Ok(Figures::of(&tally))
    }
    // ANCHOR_END: measure
}

impl Row {
    fn note(&mut self, trouble: String) {
        if !self.troubles.contains(&trouble) {
            self.troubles.push(trouble);
        }
    }

    /// What a reader should know before believing the figures.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<_> =
            self.absent.iter().map(<_>::to_string).collect();
        notes.extend(self.troubles.iter().cloned());
        let mut faults = BTreeMap::<Fault, u64>::new();
        for (fault, count) in self.rounds.iter().flat_map(|f| &f.errors) {
            *faults.entry(*fault).or_default() += count;
        }
        notes.extend(faults.iter().map(|(f, count)| format!("{count} x {f}")));
        let busy = median(self.rounds.iter().map(|f| f.client_cpu));
        notes.extend(busy.filter(|&cpu| cpu > CLIENT_BUSY).map(|cpu| {
            let percent = cpu * 100.0;
            format!(
                "the client was the bottleneck, busy {percent:.0} % of the \
                 time: the server can do more"
            )
        }));
        notes
    }

    /// Whether anything went wrong.
    pub(crate) fn has_failed(&self) -> bool {
        let errors = self.rounds.iter().any(|round| !round.errors.is_empty());
        errors || !self.troubles.is_empty()
    }
}

/// Shown on a terminal, and nowhere else.
fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {pos}/{len}  {msg}  (Ctrl-C: what there is so far)",
    );
    let bar = ProgressBar::new(length as u64);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
