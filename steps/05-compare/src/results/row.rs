//! All that a comparison found: what the reports are made of, and what
//! `results.json` holds.

use serde::{Deserialize, Serialize};

use super::round::RoundStats;

/// The results of one comparison.
// ANCHOR: results
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

/// How and where it was measured: runs that differ in this differ for reasons
/// that are not the servers'.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// When it began, in UTC.
    pub(crate) date: String,
    /// Of this program.
    pub(crate) version: String,
    pub(crate) kernel: String,
    pub(crate) processor: String,
    /// How the processors were split between client and server.
    pub(crate) affinity: String,
    /// Processes that wanted a core in the minute before.
    pub(crate) load_average: f64,
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

/// One server under one load, in all rounds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) load: String,
    pub(crate) server: String,
    /// The baseline once more, to be compared with itself.
    pub(crate) again: bool,
    /// Why it was not measured at all.
    pub(crate) skipped: Option<String>,
    /// That was our failure.
    pub(crate) client_failed: bool,
    pub(crate) rounds: Vec<RoundStats>,
    /// Of all rounds together: the latency in seconds that so much of the
    /// requests stay under.
    pub(crate) latencies: Vec<Quantile>,
    /// The rounds one after the other.
    pub(crate) samples: Vec<Sample>,
}
// ANCHOR_END: results

/// One point of a row's distribution of latencies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Quantile {
    pub(crate) quantile: f64,
    pub(crate) seconds: f64,
}

/// A short stretch of what was measured.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds since the first round's begin, pauses left out.
    pub(crate) at: f64,
    /// The longest latency of what was due then, in seconds.
    pub(crate) slowest: f64,
    /// Segments that the kernel sent again.
    pub(crate) retransmits: u64,
    /// Resident memory of the server, in bytes.
    pub(crate) memory: u64,
}

impl Row {
    /// "low, 04-epoll"
    pub(crate) fn name(&self) -> String {
        let again = if self.again { " (A/A)" } else { "" };
        format!("{}, {}{again}", self.load, self.server)
    }

    /// Rounds in which the server answered nothing.
    pub(crate) fn dead_rounds(&self) -> usize {
        self.rounds.iter().filter(|round| round.is_dead()).count()
    }

    /// Whether something went wrong.
    pub(crate) fn has_failed(&self) -> bool {
        self.client_failed
            || self.rounds.iter().any(|r| r.failed() > 0 || r.failure.is_some())
    }

    /// The latency in seconds that `quantile` of the requests stay under.
    pub(crate) fn latency_at(&self, quantile: f64) -> Option<f64> {
        let reaches = |point: &&Quantile| point.quantile >= quantile;
        let point = self.latencies.iter().find(reaches);
        point.or(self.latencies.last()).map(|point| point.seconds)
    }
}

impl Results {
    /// The rows of one load, the baseline's second one left out.
    pub(crate) fn rows_of<'a>(
        &'a self,
        load: &'a str,
    ) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.load == load && !row.again)
    }

    /// The row of a server under a load.
    pub(crate) fn row(&self, load: &str, server: &str) -> Option<&Row> {
        let mut rows = self.rows.iter().filter(|row| !row.again);
        rows.find(|row| row.load == load && row.server == server)
    }

    /// The second row of the baseline under a load.
    pub(crate) fn row_again(&self, load: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.load == load && row.again)
    }

    /// The loads under which servers are compared, and not connections.
    pub(crate) fn busy_loads(&self) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(|load| !load.idle)
    }

    /// The names of all servers, in the order in which they were entered.
    pub(crate) fn servers(&self) -> Vec<&str> {
        let mut servers = Vec::new();
        for row in self.rows.iter().filter(|row| !row.again) {
            if !servers.contains(&row.server.as_str()) {
                servers.push(row.server.as_str());
            }
        }
        servers
    }
}
