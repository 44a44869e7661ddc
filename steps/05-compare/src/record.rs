//! A row in the making: one server under one load, round after round.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;

use crate::contestant::Contestant;
use crate::driver::{SAMPLE_PERIOD, Tally, histogram};
use crate::figures::Figures;
use crate::little;
use crate::results::{Moment, Quantile, Row};
use crate::scenario::Scenario;
use crate::statistics::median;

/// A client that is busy for more of the time than this is what limits the
/// throughput.
const CLIENT_BUSY: f64 = 0.9;
/// A client that is later than this with 1 of 100 requests, in seconds, adds
/// to the latencies.
const CLIENT_LATE: f64 = 0.001;

const CLIENT_WAS_BUSY: &str = "the client was busy for more than 90 % of the \
    time: where the server was not (CPU %), it can do more";
const CLIENT_WAS_LATE: &str = "the client sent 1 of 100 requests more than \
    1 ms late: that is part of the latencies, see client CPU and who else is \
    busy on this machine";

/// What is known of one row so far.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) contestant: &'a Contestant,
    again: bool,
    pub(crate) notes: BTreeSet<String>,
    failed: bool,
    rounds: Vec<Figures>,
    latencies: Histogram<u64>,
    timeline: Vec<Moment>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        contestant: &'a Contestant,
        again: bool,
    ) -> Self {
        Self {
            scenario,
            contestant,
            again,
            notes: BTreeSet::new(),
            failed: false,
            rounds: Vec::new(),
            latencies: histogram(),
            timeline: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}, {}", self.scenario.name, self.contestant.name)
    }

    /// A round came to nothing.
    pub(crate) fn note(&mut self, reason: String) {
        self.failed = true;
        self.notes.insert(reason);
    }

    /// Adds what one round saw.
    pub(crate) fn add(&mut self, tally: &Tally, figures: Figures) {
        let start = self.timeline.len() as f64 * SAMPLE_PERIOD.as_secs_f64();
        let mut resent = 0;
        for (index, slot) in tally.slots.iter().enumerate() {
            let so_far = slot.counters.retransmits.max(resent);
            let within = index as f64 * SAMPLE_PERIOD.as_secs_f64();
            self.timeline.push(Moment {
                at: start + within,
                slowest: slot.slowest.as_secs_f64(),
                resent: so_far - resent,
                memory: slot.footprint.memory * 1_024,
            });
            resent = so_far;
        }
        // All have the same bounds, so they can be added.
        let _ = self.latencies.add(&tally.latencies);
        self.rounds.push(figures);
    }

    pub(crate) fn into_row(mut self) -> Row {
        self.judge();
        Row {
            load: self.scenario.name.into(),
            server: self.contestant.name.clone(),
            again: self.again,
            failed: self.failed,
            notes: self.notes.into_iter().collect(),
            rounds: self.rounds,
            latencies: quantiles(&self.latencies),
            timeline: thinned(&self.timeline),
        }
    }

    /// Adds what a sceptic would ask about.
    // ANCHOR: judge
    fn judge(&mut self) {
        let mut errors = BTreeMap::<&str, u64>::new();
        for (kind, count) in self.rounds.iter().flat_map(|f| &f.errors) {
            *errors.entry(kind).or_default() += count;
        }
        self.failed |= !errors.is_empty();
        let said =
            errors.iter().map(|(kind, count)| format!("{count} x {kind}"));
        self.notes.extend(said);

        let median = |of: fn(&Figures) -> f64| {
            median(self.rounds.iter().map(of)).unwrap_or(0.0)
        };
        if median(|figures| figures.client_cpu) > CLIENT_BUSY {
            self.notes.insert(CLIENT_WAS_BUSY.into());
        }
        let late = median(|figures| figures.lateness) > CLIENT_LATE;
        if late && self.scenario.is_paced() {
            self.notes.insert(CLIENT_WAS_LATE.into());
        }

        let mut off = self.rounds.iter();
        let law = off.find_map(|f| little::objection(self.scenario, f));
        self.notes.extend(law);
    }
    // ANCHOR_END: judge
}

/// Half an hour has 36,000 moments, and nobody sees more than these.
const MOMENTS: usize = 1_000;

/// Joins neighbours until there are few enough.
fn thinned(timeline: &[Moment]) -> Vec<Moment> {
    let joined = timeline.chunks(timeline.len().div_ceil(MOMENTS).max(1));
    let join = |one: Moment, two: &Moment| Moment {
        slowest: one.slowest.max(two.slowest),
        resent: one.resent + two.resent,
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
    fn a_long_timeline_is_thinned_and_loses_no_peak() {
        let moment = |index| Moment {
            at: f64::from(index),
            slowest: f64::from(index % 777),
            resent: 1,
            memory: 5,
        };
        let timeline: Vec<_> = (0..36_000).map(moment).collect();
        let thin = thinned(&timeline);
        assert_eq!(thin.len(), MOMENTS);
        assert_eq!(thin.iter().map(|m| m.resent).sum::<u64>(), 36_000);
        let peak = thin.iter().map(|m| m.slowest).fold(0.0, f64::max);
        assert!((peak - 776.0).abs() < 1e-9);
        assert!(thinned(&[]).is_empty());
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
