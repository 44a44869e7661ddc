//! The figures of one measurement.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::driver::Tally;
use crate::kernel::Counters;

/// What a reader wants to know of one server under one load in one round.
// ANCHOR: figures
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Of the rounds: 0 is the first.
    pub(crate) round: usize,
    /// How long it was measured, in seconds.
    pub(crate) seconds: f64,
    /// Good replies a second.
    pub(crate) rps: f64,
    /// Latencies, in seconds.
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Requests that were due, and why some of them failed.
    pub(crate) requests: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    /// CPU time of the server for a request, in seconds.
    pub(crate) cpu_per_request: f64,
    /// Cores in use on average.
    pub(crate) cpu: f64,
    pub(crate) client_cpu: f64,
    /// The client sent 1 of 100 requests later than this after it was due, in
    /// seconds.
    pub(crate) lateness: f64,
    /// How often a thread was taken from a core, for a request.
    pub(crate) switches_per_request: f64,
    /// The most memory that was resident, in bytes: see `meter.rs`.
    pub(crate) memory: f64,
    /// The most threads that were seen.
    pub(crate) threads: f64,
    /// Memory and threads that came with each connection, where all were
    /// there at the end and none at the start.
    pub(crate) memory_per_connection: f64,
    pub(crate) threads_per_connection: f64,
    pub(crate) kernel: Counters,
    /// Replies that took a whole number of seconds and next to nothing, for
    /// each number from 1 on.
    pub(crate) whole_seconds: BTreeMap<u64, u64>,
    /// Replies that took 40 ms, more than around that.
    pub(crate) forty_ms: u64,
}
// ANCHOR_END: figures

impl Figures {
    /// `switches` are those of the server's whole life.
    pub(crate) fn of(tally: &Tally, round: usize, switches: u64) -> Self {
        let elapsed = tally.elapsed.as_secs_f64();
        let served = tally.served as f64;
        let figures = Self {
            round,
            seconds: elapsed,
            rps: per(served, elapsed),
            requests: tally.latencies.len() + tally.failed(),
            errors: tally.errors(),
            cpu_per_request: per(tally.cpu.server.as_secs_f64(), served),
            cpu: per(tally.cpu.server.as_secs_f64(), elapsed),
            client_cpu: per(tally.cpu.client.as_secs_f64(), elapsed),
            lateness: seconds(tally.lateness.value_at_quantile(0.99)),
            switches_per_request: per(switches as f64, tally.answered as f64),
            kernel: tally.counters,
            ..Self::default()
        };
        figures.with_latencies(tally).with_footprint(tally)
    }

    fn with_latencies(self, tally: &Tally) -> Self {
        let latencies = &tally.latencies;
        let quantile = |q| seconds(latencies.value_at_quantile(q));
        Self {
            mean: latencies.mean() / 1e9,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            min: seconds(latencies.min()),
            max: seconds(latencies.max()),
            whole_seconds: tally.whole_seconds(),
            forty_ms: tally.forty_ms(),
            ..self
        }
    }

    fn with_footprint(self, tally: &Tally) -> Self {
        let footprints = || tally.slots.iter().map(|slot| slot.footprint);
        let most = |values: &mut dyn Iterator<Item = u64>| {
            values.max().unwrap_or(0) as f64
        };
        let (users, kib) = (tally.users as f64, 1_024.0);
        let threads = most(&mut footprints().map(|f| f.threads));
        let memory = most(&mut footprints().map(|f| f.memory)) * kib;
        let start = tally.footprint_at_begin;
        Self {
            memory,
            threads,
            memory_per_connection: (memory - start.memory as f64 * kib) / users,
            threads_per_connection: (threads - start.threads as f64) / users,
            ..self
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// `amount` for each of `count`; 0 where there is none. JSON has no infinity.
fn per(amount: f64, count: f64) -> f64 {
    if count > 0.0 { amount / count } else { 0.0 }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_without_a_reply_can_be_written_and_read() {
        let figures = Figures::of(&Tally::new(1), 0, 0);
        let json = serde_json::to_string(&figures).expect("JSON");
        assert!(!json.contains("null"), "{json}");
        assert!(serde_json::from_str::<Figures>(&json).is_ok());
    }
}
