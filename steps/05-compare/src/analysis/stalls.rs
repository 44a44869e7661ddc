//! What only shows from outside: latencies that are no property of the
//! server's code, and a server that grows.

use std::collections::BTreeMap;

use crate::results::metric::{DELAYED_ACKS, OVERFLOWS, REQUESTS, TIMEOUTS};
use crate::results::row::{Results, Row};
use crate::results::units::three_digits;

/// So large a part of the requests has to be late for a sentence about 40 ms:
/// a few are that late by chance.
const MIN_SHARE: f64 = 0.05;
/// The most requests in flight on a connection: the replies that one delayed
/// acknowledgement can hold up.
const MAX_IN_FLIGHT: f64 = 16.0;
/// What is measured for less than this, in seconds, is still warming up.
const MIN_SECONDS: f64 = 10.0;

/// The sentences about all rows.
pub(crate) fn sentences(results: &Results) -> Vec<String> {
    let found = |row| [whole_seconds(row), forty_ms(row), growth(results, row)];
    let sentences = results.rows().flat_map(|row| {
        let texts = found(row).into_iter().flatten();
        texts.map(|text| format!("{}: {text}", row.name()))
    });
    sentences.collect()
}

fn whole_seconds(row: &Row) -> Option<String> {
    let mut modes = BTreeMap::<u64, u64>::new();
    for (second, count) in row.rounds.iter().flat_map(|r| &r.retransmit_counts)
    {
        *modes.entry(*second).or_default() += count;
    }
    let total: u64 = modes.values().sum();
    let parts = modes.iter().map(|(second, n)| format!("{n} of {second} s"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let cause = match (OVERFLOWS.aggregate(row)?, TIMEOUTS.aggregate(row)?) {
        (0.0, 0.0) => String::from(
            "no counter of the kernel explains that: the server took so long",
        ),
        (0.0, timeouts) => format!(
            "the kernel sent segments again {timeouts} times (TCPTimeouts)"
        ),
        (overflows, _) => format!(
            "the accept queue was full {overflows} times (ListenOverflows), \
             so the kernel dropped the SYN, and the client's kernel sent it \
             again after whole seconds: a larger backlog helps, a faster \
             server need not"
        ),
    };
    let requests = REQUESTS.aggregate(row)?;
    (total > 0).then(|| {
        format!(
            "{total} of {requests} replies took whole seconds ({parts}): \
             {cause}."
        )
    })
}

fn forty_ms(row: &Row) -> Option<String> {
    let late = row.rounds.iter().map(|round| round.delayed_ack_count as f64);
    let late: f64 = late.sum();
    let delayed = DELAYED_ACKS.aggregate(row)?;
    let requests = REQUESTS.aggregate(row)?;
    // Without as many such acknowledgements it was something else that took
    // so long: a busy machine. One may hold up all that is in flight.
    let explained = late <= delayed * MAX_IN_FLIGHT;
    (explained && late > requests * MIN_SHARE).then(|| {
        format!(
            "{late} of {requests} replies took 40 ms: their last part waited \
             for an acknowledgement that was delayed (DelayedACKs {delayed}). \
             A server that writes a reply in one piece has no such wait."
        )
    })
}

/// How much more memory a server had at the end of a long round.
fn growth(results: &Results, row: &Row) -> Option<String> {
    let round = row.rounds.last()?;
    if round.seconds < MIN_SECONDS || !results.load(&row.load)?.paced {
        return None;
    }
    let grown = round.memory_late - round.memory_early;
    let word = if grown < 0.0 { "less" } else { "more" };
    let (grown, seconds) = (three_digits(grown.abs() / 1_024.0), round.seconds);
    Some(format!(
        "{grown} KiB {word} memory at the end than after the first tenth of \
         {seconds:.0} s."
    ))
}
