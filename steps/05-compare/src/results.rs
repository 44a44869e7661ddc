//! All that a comparison found: what the reports are made of, and what
//! `results.json` holds.

use serde::{Deserialize, Serialize};

use crate::figures::Figures;

/// The results of one comparison.
// ANCHOR: results
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The kernel, the machine, and how the cores were dealt out.
    pub(crate) machine: String,
    /// The server that the others are compared with.
    pub(crate) baseline: String,
    pub(crate) rounds: usize,
    pub(crate) loads: Vec<Load>,
    /// A row for each load and server, load after load.
    pub(crate) rows: Vec<Row>,
    /// Ctrl-C came before all was measured.
    pub(crate) interrupted: bool,
}

/// A load, in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) connections: usize,
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
    /// What a reader should know before believing the figures.
    pub(crate) notes: Vec<String>,
    /// Something went wrong.
    pub(crate) failed: bool,
    pub(crate) rounds: Vec<Figures>,
    /// Of all rounds together: the latency in seconds that so much of the
    /// requests stay under.
    pub(crate) latencies: Vec<Quantile>,
    /// The rounds one after the other.
    pub(crate) timeline: Vec<Moment>,
}
// ANCHOR_END: results

/// One point of a row's distribution of latencies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Quantile {
    pub(crate) quantile: f64,
    pub(crate) seconds: f64,
}

/// A short stretch of what was measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// Seconds since the first round's begin, pauses left out.
    pub(crate) at: f64,
    /// The longest latency of what was due then, in seconds.
    pub(crate) slowest: f64,
    /// Segments that the kernel sent again.
    pub(crate) resent: u64,
    /// Resident memory of the server, in bytes.
    pub(crate) memory: u64,
}

impl Row {
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
