//! What the kernel counted: dropped connections, segments sent again.
//!
//! The counters are those of the whole network namespace. On a machine on
//! which nothing else is busy that is this comparison; `man 5 proc`,
//! `/proc/net/netstat` and `/proc/net/snmp`.

use std::collections::BTreeMap;
use std::fs;

/// Counters of TCP, by the kernel's names.
pub type Counters = BTreeMap<String, u64>;

const COUNTERS: [&str; 5] = [
    // Connections that found the accept queue full.
    "ListenOverflows",
    // The same and whatever else kept a connection from being made.
    "ListenDrops",
    // Times that no acknowledgement came in time, a SYN's among them.
    "TCPTimeouts",
    // Segments sent again.
    "RetransSegs",
    // Acknowledgements that were held back for 40 ms, in vain.
    "DelayedACKs",
];

/// A line of names is followed by a line of values.
pub(crate) fn find_counter(text: &str, name: &str) -> u64 {
    let lines: Vec<_> = text.lines().collect();
    let find = |pair: &[&str]| {
        let [names, values] = pair else { return None };
        let column = names.split_whitespace().position(|word| word == name)?;
        values.split_whitespace().nth(column)?.parse().ok()
    };
    lines.chunks(2).find_map(find).unwrap_or(0)
}

/// How far the counters have moved since `before`, which may be empty.
pub fn counted_since(before: &Counters) -> Counters {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let text = read("/proc/net/netstat") + &read("/proc/net/snmp");
    let moved = |name: &str| {
        let before = before.get(name).copied().unwrap_or(0);
        (name.into(), find_counter(&text, name).saturating_sub(before))
    };
    COUNTERS.map(moved).into()
}
