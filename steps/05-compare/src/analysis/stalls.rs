//! Latencies that are no property of the server's code: they stand at certain
//! values, and the kernel's counters say why.

use std::collections::BTreeMap;

use crate::results::metric::{OVERFLOWS, REQUESTS, TIMEOUTS};
use crate::results::row::Row;

/// So large a part of the requests has to be late for a sentence about 40 ms:
/// a few are that late by chance.
const MIN_SHARE: f64 = 0.05;
/// The most requests in flight on a connection: the replies that one delayed
/// acknowledgement can hold up.
const MAX_IN_FLIGHT: u64 = 16;

/// The sentences about one row.
pub(crate) fn sentences(row: &Row) -> Vec<String> {
    let sentences = [whole_seconds(row), forty_ms(row)].into_iter().flatten();
    sentences.map(|text| format!("{}: {text}", row.name())).collect()
}

// ANCHOR: whole_seconds
fn whole_seconds(row: &Row) -> Option<String> {
    let mut modes = BTreeMap::<u64, u64>::new();
    for (second, count) in row.rounds.iter().flat_map(|r| &r.retransmit_counts)
    {
        *modes.entry(*second).or_default() += count;
    }
    let total: u64 = modes.values().sum();
    let parts: Vec<_> = modes
        .iter()
        .map(|(second, count)| format!("{count} of {second} s"))
        .collect();
    let overflows = OVERFLOWS.aggregate(row).unwrap_or(0.0);
    let timeouts = TIMEOUTS.aggregate(row).unwrap_or(0.0);
    let cause = if overflows > 0.0 {
        format!(
            "the accept queue was full {overflows} times (ListenOverflows), \
             so the kernel dropped the SYN, and the client's kernel sent it \
             again after whole seconds: a larger backlog helps, a faster \
             server need not"
        )
    } else if timeouts > 0.0 {
        format!("the kernel sent segments again {timeouts} times (TCPTimeouts)")
    } else {
        "no counter of the kernel explains that: the server took so long".into()
    };
    let requests = REQUESTS.aggregate(row).unwrap_or(0.0);
    (total > 0).then(|| {
        let parts = parts.join(", ");
        format!(
            "{total} of {requests} replies took whole seconds ({parts}): \
             {cause}."
        )
    })
}
// ANCHOR_END: whole_seconds

fn forty_ms(row: &Row) -> Option<String> {
    let late: u64 =
        row.rounds.iter().map(|round| round.delayed_ack_count).sum();
    let delayed: u64 =
        row.rounds.iter().map(|round| round.kernel.delayed_acks).sum();
    let requests = REQUESTS.aggregate(row).unwrap_or(0.0);
    // Without as many such acknowledgements it was something else that took
    // so long: a busy machine. One may hold up all that is in flight.
    let explained = late <= delayed * MAX_IN_FLIGHT;
    (explained && late as f64 > requests * MIN_SHARE).then(|| {
        format!(
            "{late} of {requests} replies took 40 ms: their last part waited \
             for an acknowledgement that was delayed (DelayedACKs {delayed}). \
             A server that writes a reply in one piece has no such wait."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::counters::Counters;
    use crate::results::round::RoundStats;

    fn row(round: RoundStats) -> Row {
        Row {
            load: "burst".into(),
            server: "c".into(),
            rounds: vec![round],
            ..Row::default()
        }
    }

    #[test]
    fn whole_seconds_are_named_for_what_they_are() {
        let kernel = Counters { listen_overflows: 9, ..Counters::default() };
        let figures = RoundStats {
            requests: 1_000,
            retransmit_counts: BTreeMap::from([(1, 7), (2, 1)]),
            kernel,
            ..RoundStats::default()
        };
        let found = sentences(&row(figures.clone()));
        let [sentence] = &found[..] else { unreachable!("{found:?}") };
        assert!(sentence.starts_with(
            "burst, c: 8 of 1000 replies took whole seconds (7 of 1 s, 1 of 2 \
             s): the accept queue was full 9 times"
        ));
        let kernel = Counters::default();
        let found = sentences(&row(RoundStats { kernel, ..figures }));
        assert!(found[0].contains("the server took so long"), "{found:?}");
    }

    #[test]
    fn forty_milliseconds_are_a_delayed_acknowledgement() {
        let kernel = Counters { delayed_acks: 90, ..Counters::default() };
        let figures = RoundStats {
            requests: 100,
            delayed_ack_count: 90,
            kernel,
            ..RoundStats::default()
        };
        let found = sentences(&row(figures));
        assert!(found[0].contains("90 of 100 replies took 40 ms"), "{found:?}");
        let kernel = Counters { delayed_acks: 1, ..Counters::default() };
        let noise = RoundStats {
            requests: 100,
            delayed_ack_count: 90,
            kernel,
            ..RoundStats::default()
        };
        assert!(sentences(&row(noise)).is_empty());
        assert!(sentences(&row(RoundStats::default())).is_empty());
    }
}
