//! The figures of one measurement, and how they are shown.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::driver::{Fault, Tally};

/// What a reader wants to know of one server under one load in one round.
// ANCHOR: figures
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Good replies a second.
    pub(crate) rps: f64,
    /// Latencies, in seconds.
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
    /// Requests that were due, and those that failed.
    pub(crate) requests: f64,
    pub(crate) errors: BTreeMap<Fault, u64>,
    /// CPU time of the server for a request, in seconds.
    pub(crate) cpu_per_request: f64,
    /// CPUs in use on average: 1 is one core.
    pub(crate) cpu: f64,
    pub(crate) client_cpu: f64,
    /// The most memory that was resident, in bytes.
    pub(crate) memory: f64,
    /// The most threads that were seen.
    pub(crate) threads: f64,
}
// ANCHOR_END: figures

impl Figures {
    pub(crate) fn of(tally: &Tally) -> Self {
        let elapsed = tally.elapsed.as_secs_f64();
        let served = tally.served as f64;
        let quantile = |q| seconds(tally.latencies.value_at_quantile(q));
        let server = tally.cpu.server.as_secs_f64();
        let footprints = || tally.slots.iter().map(|slot| slot.footprint);
        let memory = footprints().map(|f| f.peak * 1_024).max();
        let threads = footprints().map(|f| f.threads).max();
        Self {
            rps: served / elapsed,
            mean: tally.latencies.mean() / 1e9,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: seconds(tally.latencies.max()),
            requests: (tally.latencies.len() + tally.failed()) as f64,
            errors: tally.faults.clone(),
            cpu_per_request: server / served,
            cpu: server / elapsed,
            client_cpu: tally.cpu.client.as_secs_f64() / elapsed,
            memory: memory.unwrap_or(0) as f64,
            threads: threads.unwrap_or(0) as f64,
        }
    }
}

impl Figures {
    pub(crate) fn failed(&self) -> f64 {
        self.errors.values().sum::<u64>() as f64
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}
