//! What a recorder has counted, as figures.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::recorder::{Recorder, nanoseconds};
use crate::results::builder::Measured;
use crate::results::round::RoundStats;

/// What a request takes on top of the wait for a SYN that is sent again.
const RETRANSMIT_SLACK: Duration = Duration::from_millis(150);

impl Recorder {
    /// Replies that took so long.
    fn between(&self, from: Duration, to: Duration) -> u64 {
        self.replies.count_between(nanoseconds(from), nanoseconds(to))
    }

    /// Replies that took 40 ms, as far as they are more than those that took
    /// a little less or more: a machine that is busy otherwise makes replies
    /// late by any amount, a delayed acknowledgement by that one.
    fn delayed_ack_count(&self) -> u64 {
        let ms = Duration::from_millis;
        let around =
            self.between(ms(28), ms(39)) + self.between(ms(50), ms(61));
        self.between(ms(39), ms(50)).saturating_sub(around)
    }

    /// For each number of whole seconds: replies that took so long, and a
    /// little. That is how a SYN looks which the kernel had to send again.
    fn retransmit_counts(&self) -> BTreeMap<u64, u64> {
        let longest = self.replies.max() / 1_000_000_000;
        let replies = |second| {
            let from = Duration::from_secs(second);
            self.between(from, from + RETRANSMIT_SLACK)
        };
        (1..=longest)
            .map(|second| (second, replies(second)))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    /// The figures of what was recorded.
    pub(crate) fn finish(self) -> Measured {
        let mut latencies = self.replies.clone();
        // Both have the same bounds, so they can be added.
        let _ = latencies.add(&self.failures);
        Measured {
            stats: self.with_costs(self.latency_stats(&latencies)),
            answered: self.answered,
            latencies,
            samples: self.samples,
            interrupted: false,
        }
    }

    fn latency_stats(&self, latencies: &Histogram<u64>) -> RoundStats {
        let quantile = |q| latencies.value_at_quantile(q) as f64 / 1e9;
        let errors = self.errors.iter();
        RoundStats {
            mean: latencies.mean() / 1e9,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            min: latencies.min() as f64 / 1e9,
            max: latencies.max() as f64 / 1e9,
            lower_bounds_from: self.shortest_failure.map(|d| d.as_secs_f64()),
            requests: latencies.len(),
            succeeded: self.replies.len(),
            errors: errors.map(|(e, &count)| (e.to_string(), count)).collect(),
            lateness: self.lateness.value_at_quantile(0.99) as f64 / 1e9,
            retransmit_counts: self.retransmit_counts(),
            delayed_ack_count: self.delayed_ack_count(),
            ..RoundStats::default()
        }
    }

    fn with_costs(&self, stats: RoundStats) -> RoundStats {
        let elapsed = match (self.begin, self.end) {
            (Some(begin), Some(end)) => (end - begin).as_secs_f64(),
            _ => 0.0,
        };
        let (served, cpu) = (self.served as f64, self.cpu);
        let (start, most) = (self.footprint_at_begin, self.footprint_most);
        let each = |most: u64, start: u64| {
            (most as f64 - start as f64) / self.users as f64
        };
        RoundStats {
            seconds: elapsed,
            rps: per(served, elapsed),
            cpu_per_request: per(cpu.server.as_secs_f64(), served),
            cpu: per(cpu.server.as_secs_f64(), elapsed),
            client_cpu: per(cpu.client.as_secs_f64(), elapsed),
            memory: most.memory as f64,
            threads: most.threads as f64,
            memory_per_connection: each(most.memory, start.memory),
            threads_per_connection: each(most.threads, start.threads),
            kernel: self.counters,
            ..stats
        }
    }
}

/// `amount` for each of `count`; 0 where there is none. JSON has no infinity.
fn per(amount: f64, count: f64) -> f64 {
    if count > 0.0 { amount / count } else { 0.0 }
}
