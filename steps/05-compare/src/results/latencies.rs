//! Latencies of many requests, and how they are distributed.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
pub(crate) use load_client::{histogram, nanoseconds};

/// What a request takes on top of the wait for a SYN that is sent again.
const RETRANSMIT_SLACK: Duration = Duration::from_millis(150);

/// The latency in seconds that so much of the requests stay under.
pub(crate) fn seconds_at(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    latencies.value_at_quantile(quantile) as f64 / 1e9
}

/// Points of the distribution, close where it matters: towards the slowest.
const QUANTILES: [f64; 25] = [
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.66, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95,
    0.965, 0.98, 0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999,
    1.0,
];

/// Quantiles, and the latency in seconds at each. Of n requests the slowest is
/// 1/n of all: what lies beyond is not known.
pub(crate) fn quantiles(latencies: &Histogram<u64>) -> Vec<(f64, f64)> {
    let known = 1.0 - 1.0 / latencies.len() as f64;
    let quantiles = QUANTILES.into_iter().filter(|_| !latencies.is_empty());
    let known =
        quantiles.filter(|&quantile| quantile <= known || quantile == 1.0);
    known.map(|quantile| (quantile, seconds_at(latencies, quantile))).collect()
}

/// Replies that took 40 ms, as far as they are more than those that took
/// a little less or more: a machine that is busy otherwise makes replies
/// late by any amount, a delayed acknowledgement by that one.
pub(crate) fn delayed_ack_count(replies: &Histogram<u64>) -> u64 {
    let between = |from, to| {
        let [from, to] = [from, to].map(Duration::from_millis);
        replies.count_between(nanoseconds(from), nanoseconds(to))
    };
    between(39, 50).saturating_sub(between(28, 39) + between(50, 61))
}

/// For each number of whole seconds: replies that took so long, and a
/// little. That is how a SYN looks which the kernel had to send again.
pub(crate) fn retransmit_counts(
    replies: &Histogram<u64>,
) -> BTreeMap<u64, u64> {
    let count = |second| {
        let from = Duration::from_secs(second);
        let (from, to) = (from, from + RETRANSMIT_SLACK);
        (second, replies.count_between(nanoseconds(from), nanoseconds(to)))
    };
    let counts = (1..=replies.max() / 1_000_000_000).map(count);
    counts.filter(|&(_, count)| count > 0).collect()
}
