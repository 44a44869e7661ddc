//! All that a comparison found: what the reports and `results.json` hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::round::Round;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) setup: Setup,
    /// The server that the others are compared with.
    pub(crate) baseline: String,
    pub(crate) loads: Vec<Load>,
    /// A row for each load and server, load after load.
    pub(crate) rows: Vec<Row>,
    /// Ctrl-C came before all was measured.
    pub(crate) interrupted: bool,
}

/// How and where it was measured: where runs differ in this, so may figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// When it began, in UTC.
    pub(crate) date: String,
    /// Of this program.
    pub(crate) version: String,
    pub(crate) kernel: String,
    pub(crate) processor: String,
    /// How many of them there are.
    pub(crate) processors: usize,
    /// How the processors were split between client and server.
    pub(crate) affinity: String,
    /// Processors that others used meanwhile, on average.
    pub(crate) other_load: f64,
    pub(crate) rounds: usize,
    /// Seconds that a request may take.
    pub(crate) timeout: f64,
    pub(crate) backlog: i32,
    /// The command line.
    pub(crate) options: Vec<String>,
    /// Each server, and how it is started.
    pub(crate) commands: Vec<(String, String)>,
}

/// A load, in words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) connections: usize,
    /// How long it was measured in each round, in seconds.
    pub(crate) duration: f64,
    /// The users set the pace, and not the server.
    pub(crate) paced: bool,
    /// What a connection costs is what is measured.
    pub(crate) idle: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) load: String,
    pub(crate) server: String,
    /// The baseline once more, to be compared with itself.
    pub(crate) again: bool,
    /// Why it was not measured, or not in every round; whether for our failure.
    pub(crate) skipped: Option<String>,
    pub(crate) client_failed: bool,
    pub(crate) rounds: Vec<Round>,
    /// Of all rounds: quantiles, and the latency in seconds at each.
    pub(crate) latencies: Vec<(f64, f64)>,
}

impl Row {
    /// "low, 04-epoll"
    pub(crate) fn name(&self) -> String {
        let again = if self.again { " (A/A)" } else { "" };
        format!("{}, {}{again}", self.load, self.server)
    }

    /// The rounds in which the server answered something.
    pub(crate) fn alive(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(|round| !round.is_dead())
    }

    pub(crate) fn silent_rounds(&self) -> usize {
        self.rounds.iter().filter(|round| round.is_silent()).count()
    }

    /// Errors in all rounds, and requests.
    pub(crate) fn failures(&self) -> [u64; 2] {
        let sum = |of: fn(&Round) -> u64| self.rounds.iter().map(of).sum();
        [sum(Round::failed), sum(|round| round.requests)]
    }

    /// A server that leaves a round, or more than 1 % of its requests, without
    /// a reply had less to do than the others: all figures flatter it.
    pub(crate) fn is_unreliable(&self) -> bool {
        let [errors, requests] = self.failures();
        self.silent_rounds() > 0 || errors.saturating_mul(100) > requests
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.client_failed
            || self.rounds.iter().any(|r| r.failed() > 0 || r.failure.is_some())
    }

    pub(crate) fn errors(&self) -> BTreeMap<&str, u64> {
        let mut errors = BTreeMap::new();
        for (kind, count) in self.rounds.iter().flat_map(|r| &r.errors) {
            *errors.entry(kind.as_str()).or_default() += count;
        }
        errors
    }
}

impl Results {
    /// A row for each load and server: the baseline's second ones left out.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.again)
    }

    pub(crate) fn rows_of(&self, load: &str) -> impl Iterator<Item = &Row> {
        self.rows().filter(move |row| row.load == load)
    }

    /// The row of a server under a load.
    pub(crate) fn row(&self, load: &str, server: &str) -> Option<&Row> {
        self.rows().find(|row| row.load == load && row.server == server)
    }

    pub(crate) fn row_again(&self, load: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.load == load && row.again)
    }

    pub(crate) fn load(&self, name: &str) -> Option<&Load> {
        self.loads.iter().find(|load| load.name == name)
    }

    /// The loads under which servers are compared, and not connections.
    pub(crate) fn busy_loads(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| !load.idle)
    }

    /// The names of all servers, in the order in which they were entered.
    pub(crate) fn servers(&self) -> Vec<&str> {
        let first = self.rows.first().map_or("", |row| &row.load);
        self.rows_of(first).map(|row| row.server.as_str()).collect()
    }
}
