//! What the kernel counted of TCP: see `man 5 proc`.

use serde::{Deserialize, Serialize};

/// Counters of TCP, or how far they moved between two readings.
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
// ANCHOR_END: counters

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
