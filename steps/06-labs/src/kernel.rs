//! What the kernel counted, in the network that this process is in.
//!
//! `man 5 proc`: `/proc/net/netstat`, `/proc/net/sockstat`.

use std::fs;

use compare::target::netstat::counter;

/// By how much some of these counters grow meanwhile.
#[derive(Debug)]
pub(crate) struct CounterDelta<const N: usize> {
    names: [&'static str; N],
    before: [u64; N],
}

impl<const N: usize> CounterDelta<N> {
    /// From now on.
    pub(crate) fn new(names: [&'static str; N]) -> Self {
        Self { names, before: names.map(counter) }
    }

    /// Up to now.
    pub(crate) fn delta(&self) -> [u64; N] {
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
