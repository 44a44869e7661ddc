//! What the kernel counted: dropped connections, segments sent again.
//!
//! The counters are those of the whole network namespace. On a machine on
//! which nothing else is busy that is this comparison; `man 5 proc`,
//! `/proc/net/netstat` and `/proc/net/snmp`.

use std::fs;

use crate::results::counters::Counters;

// ANCHOR: counter
/// A counter of TCP in `/proc/net/netstat`, such as `ListenDrops`; 0 where it
/// is not to be read.
#[must_use]
pub fn counter(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    find_counter(&text, "TcpExt:", name)
}

/// A line of names is followed by a line of values, both begin with `group`.
fn find_counter(text: &str, group: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let mut words = || lines.next().unwrap_or_default().split_whitespace();
    let (names, values) = (words(), words());
    let mut found = names.zip(values).filter(|(found, _)| *found == name);
    found.next().and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
// ANCHOR_END: counter

// ANCHOR: now
/// The counters at this moment; zeros where `/proc` is not to be read.
pub(crate) fn read_counters() -> Counters {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    parse(&read("/proc/net/netstat"), &read("/proc/net/snmp"))
}

fn parse(netstat: &str, snmp: &str) -> Counters {
    let extended = |name| find_counter(netstat, "TcpExt:", name);
    Counters {
        listen_overflows: extended("ListenOverflows"),
        listen_drops: extended("ListenDrops"),
        timeouts: extended("TCPTimeouts"),
        retransmits: find_counter(snmp, "Tcp:", "RetransSegs"),
        delayed_acks: extended("DelayedACKs"),
    }
}
// ANCHOR_END: now

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_their_names() {
        let netstat = "TcpExt: A ListenOverflows ListenDrops\n\
                       TcpExt: 1 22 33\n\
                       IpExt: ListenOverflows\nIpExt: 9\n";
        let snmp = "Tcp: A RetransSegs\nTcp: -1 44\n";
        let counters = parse(netstat, snmp);
        let expected = Counters {
            listen_overflows: 22,
            listen_drops: 33,
            retransmits: 44,
            ..Counters::default()
        };
        assert_eq!(counters, expected);
    }
}
