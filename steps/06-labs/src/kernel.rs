//! What the kernel counted, in the network that this process is in.
//!
//! `man 5 proc`: `/proc/net/netstat`, `/proc/net/sockstat`, `/proc/meminfo`.

use std::fs;

/// A counter of `/proc/net/netstat`, of those of TCP.
// ANCHOR: counter
pub(crate) fn counter(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    find_counter(&text, name).unwrap_or(0)
}

/// A line of names is followed by a line of values.
fn find_counter(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let names = lines.next()?.split_whitespace();
    let values = lines.next()?.split_whitespace();
    names.zip(values).find(|(found, _)| *found == name)?.1.parse().ok()
}
// ANCHOR_END: counter

/// By how much some of these counters grow meanwhile.
#[derive(Debug)]
pub(crate) struct Growth<const N: usize> {
    names: [&'static str; N],
    before: [u64; N],
}

impl<const N: usize> Growth<N> {
    /// From now on.
    pub(crate) fn of(names: [&'static str; N]) -> Self {
        Self { names, before: names.map(counter) }
    }

    /// Up to now.
    pub(crate) fn so_far(&self) -> [u64; N] {
        std::array::from_fn(|n| counter(self.names[n]) - self.before[n])
    }
}

/// Sockets in TIME_WAIT. Their programs have closed them.
pub(crate) fn in_time_wait() -> u64 {
    let text = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let mut words = text
        .lines()
        .filter_map(|line| line.strip_prefix("TCP:"))
        .flat_map(str::split_whitespace)
        .skip_while(|&word| word != "tw");
    words.nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The value behind `key:` in `/proc/PID/status` or `/proc/meminfo`; those in
/// KiB come out in bytes.
pub(crate) fn value_of(path: &str, key: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    find_value(&text, key).unwrap_or(0)
}

fn find_value(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|l| l.strip_prefix(key)?.strip_prefix(':'))?;
    let mut words = rest.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    Some(if words.next() == Some("kB") { number * 1_024 } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_their_names() {
        let text = "TcpExt: A ListenDrops\nTcpExt: 1 33\nIpExt: A\nIpExt: 9\n";
        assert_eq!(find_counter(text, "ListenDrops"), Some(33));
        assert_eq!(find_counter(text, "Nonsense"), None);
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let text = "VmRSSX:\t9 kB\nVmRSS:\t  2 kB\nThreads:\t3\n";
        assert_eq!(find_value(text, "VmRSS"), Some(2_048));
        assert_eq!(find_value(text, "Threads"), Some(3));
        assert_eq!(find_value(text, "VmHWM"), None);
    }
}
