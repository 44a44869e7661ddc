//! What the loop owns and lends to the connection whose turn it is.

use std::time::Instant;

use protocol::Log;

/// Bytes asked of the kernel at once: up to 2,048 empty lines.
pub(crate) const READ_SIZE: usize = 2_048;

/// An idle connection has no buffers: those that it needs are lent to it.
// ANCHOR: context
pub(crate) struct Context {
    pub(crate) buffer: [u8; READ_SIZE],
    /// Memory for the replies, empty: a connection keeps it only for as long as
    /// it has unsent ones.
    pub(crate) outbox: Vec<u8>,
    /// Reads that a connection may do in this turn, at least 1.
    pub(crate) reads: usize,
    /// Where messages are noted.
    pub(crate) log: Log,
    /// The time at which this turn began.
    pub(crate) now: Instant,
}
// ANCHOR_END: context

impl Context {
    pub(crate) fn new(log: Log) -> Self {
        let (buffer, outbox) = ([0; READ_SIZE], Vec::new());
        Self { buffer, outbox, reads: 1, log, now: Instant::now() }
    }
}
