//! What the kernel counted: dropped connections, segments sent again.
//!
//! The counters are those of the whole network namespace. On a machine on
//! which nobody else is busy that is this comparison; `man 5 proc`,
//! `/proc/net/netstat` and `/proc/net/snmp`.

use std::fs;

use serde::{Deserialize, Serialize};

/// Counters of TCP, or how far they moved between two looks.
// ANCHOR: counters
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
pub(crate) struct Counters {
    /// Connections that found the accept queue full.
    pub(crate) listen_overflows: u64,
    /// The same and whatever else kept a connection from being made.
    pub(crate) listen_drops: u64,
    /// Times that no acknowledgement came in time, a SYN's among them.
    pub(crate) timeouts: u64,
    /// Segments sent again.
    pub(crate) retransmits: u64,
    /// Acknowledgements that were held back for 40 ms, in vain.
    pub(crate) delayed_acks: u64,
}

impl Counters {
    /// The counters at this moment; zeros where `/proc` is not to be read.
    pub(crate) fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::parse(&read("/proc/net/netstat"), &read("/proc/net/snmp"))
    }

    fn parse(netstat: &str, snmp: &str) -> Self {
        let extended = |name| value(netstat, "TcpExt:", name);
        Self {
            listen_overflows: extended("ListenOverflows"),
            listen_drops: extended("ListenDrops"),
            timeouts: extended("TCPTimeouts"),
            retransmits: value(snmp, "Tcp:", "RetransSegs"),
            delayed_acks: extended("DelayedACKs"),
        }
    }
}
// ANCHOR_END: counters

/// A line of names is followed by a line of values, both begin with `group`.
fn value(text: &str, group: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
        return 0;
    };
    names
        .split_whitespace()
        .zip(values.split_whitespace())
        .find(|(found, _)| *found == name)
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
}

impl Counters {
    /// How far they have moved since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        let moved =
            |of: fn(&Self) -> u64| of(&self).saturating_sub(of(&before));
        Self {
            listen_overflows: moved(|c| c.listen_overflows),
            listen_drops: moved(|c| c.listen_drops),
            timeouts: moved(|c| c.timeouts),
            retransmits: moved(|c| c.retransmits),
            delayed_acks: moved(|c| c.delayed_acks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_their_names() {
        let netstat = "TcpExt: A ListenOverflows ListenDrops\n\
                       TcpExt: 1 22 33\n\
                       IpExt: ListenOverflows\nIpExt: 9\n";
        let snmp = "Tcp: A RetransSegs\nTcp: -1 44\n";
        let counters = Counters::parse(netstat, snmp);
        let expected = Counters {
            listen_overflows: 22,
            listen_drops: 33,
            retransmits: 44,
            ..Counters::default()
        };
        assert_eq!(counters, expected);
    }
}
