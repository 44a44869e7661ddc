//! A row in the making, round after round.

use hdrhistogram::Histogram;

use super::round::RoundStats;
use super::row::{Quantile, Row, Sample};

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
