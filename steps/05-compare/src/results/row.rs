//! All that a comparison found: what the reports are made of, and what
//! `results.json` holds.

use hdrhistogram::Histogram;
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

/// What one measurement comes to, before the rounds are put together.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) stats: RoundStats,
    /// All good replies, those of the warm-up among them.
    pub(crate) answered: u64,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) samples: Vec<Sample>,
    /// Ctrl-C came before the end.
    pub(crate) interrupted: bool,
}

/// A [`Row`] that is not complete yet.
#[derive(Debug)]
pub(crate) struct RowBuilder {
    row: Row,
    latencies: Histogram<u64>,
}

impl RowBuilder {
    pub(crate) fn new(load: &str, server: &str, again: bool) -> Self {
        let (load, server) = (load.into(), server.into());
        let row = Row { load, server, again, ..Row::default() };
        Self { row, latencies: histogram() }
    }

    /// Adds one round.
    pub(crate) fn add(&mut self, measured: Measured) {
        let Measured { stats, latencies, samples, .. } = measured;
        let start = match &self.row.samples[..] {
            [] => 0.0,
            [.., last] => last.at + samples.get(1).map_or(0.0, |s| s.at),
        };
        self.row.samples.extend(
            samples.into_iter().map(|s| Sample { at: s.at + start, ..s }),
        );
        // All have the same bounds, so they can be added.
        let _ = self.latencies.add(&latencies);
        self.row.rounds.push(stats);
    }

    /// A round came to nothing: that counts.
    pub(crate) fn add_failure(&mut self, round: usize, reason: String) {
        self.row.rounds.push(RoundStats::failure(round, reason));
    }

    /// We could not measure a round: that is not the server's failure.
    pub(crate) fn fail(&mut self, reason: &str) {
        self.skip(reason);
        self.row.client_failed = true;
    }

    pub(crate) fn skip(&mut self, reason: &str) {
        self.row.skipped = Some(reason.into());
    }

    pub(crate) fn build(mut self) -> Row {
        self.row.latencies = quantiles(&self.latencies);
        self.row.samples = downsampled(&self.row.samples);
        self.row
    }
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

/// An empty histogram for nanoseconds: up to a minute, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("valid bounds")
}

/// Half an hour has 36,000 samples, and no chart shows more than these.
const MAX_SAMPLES: usize = 1_000;

/// Joins neighbours until there are few enough.
fn downsampled(samples: &[Sample]) -> Vec<Sample> {
    let joined = samples.chunks(samples.len().div_ceil(MAX_SAMPLES).max(1));
    let join = |one: Sample, two: &Sample| Sample {
        slowest: one.slowest.max(two.slowest),
        retransmits: one.retransmits + two.retransmits,
        memory: one.memory.max(two.memory),
        ..one
    };
    joined.map(|group| group.iter().skip(1).fold(group[0], join)).collect()
}

/// Points of the distribution, close where it matters: towards the slowest.
const QUANTILES: [f64; 25] = [
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.66, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95,
    0.965, 0.98, 0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999,
    1.0,
];

/// Of n requests the slowest is 1/n of all: what lies beyond is not known.
fn quantiles(latencies: &Histogram<u64>) -> Vec<Quantile> {
    let known = 1.0 - 1.0 / latencies.len() as f64;
    QUANTILES
        .into_iter()
        .filter(|&quantile| quantile <= known || quantile == 1.0)
        .filter(|_| !latencies.is_empty())
        .map(|quantile| {
            let seconds = latencies.value_at_quantile(quantile) as f64 / 1e9;
            Quantile { quantile, seconds }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_samples_are_joined_and_no_peak_is_lost() {
        let sample = |index| Sample {
            at: f64::from(index),
            slowest: f64::from(index % 777),
            retransmits: 1,
            memory: 5,
        };
        let samples: Vec<_> = (0..36_000).map(sample).collect();
        let few = downsampled(&samples);
        assert_eq!(few.len(), MAX_SAMPLES);
        assert_eq!(few.iter().map(|s| s.retransmits).sum::<u64>(), 36_000);
        let peak = few.iter().map(|s| s.slowest).fold(0.0, f64::max);
        assert!((peak - 776.0).abs() < 1e-9);
        assert!(downsampled(&[]).is_empty());
    }

    #[test]
    fn the_slowest_request_is_known_and_nothing_beyond() {
        let mut latencies = histogram();
        for ms in 1..=100 {
            latencies.saturating_record(ms * 1_000_000);
        }
        let points = quantiles(&latencies);
        let last = points.last().expect("points");
        assert!((last.seconds - 0.1).abs() < 1e-3, "{last:?}");
        let known = points.iter().filter(|p| p.quantile < 1.0);
        assert!(known.clone().all(|p| p.quantile <= 0.99) && known.count() > 9);
    }
}
