//! How many clients a process may have.

use nix::sys::resource::{Resource, getrlimit};

/// Descriptors that are not a client's: stdin, stdout, stderr, the listener,
/// what the server needs to wait and to be woken, and some to spare.
const OURS: usize = 12;

/// Threads that a process may safely have. Linux allows it 65,530 mappings of
/// memory (`vm.max_map_count`), and a thread takes four: its stack, the stack
/// on which Rust reports an overflow of that one, and a guard page below each.
/// Past the limit the runtime ends the process.
pub(crate) const MAX_THREADS: usize = 15_000;

/// The number of clients to serve at a time: `asked`, or else what the limit
/// on open files allows (`ulimit -n`), since each client is a descriptor.
/// `man 2 getrlimit`, `RLIMIT_NOFILE`.
// ANCHOR: limit
#[must_use]
pub fn connection_limit(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| {
        let (soft, _hard) =
            getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1_024, 1_024));
        usize::try_from(soft).unwrap_or(usize::MAX).saturating_sub(OURS).max(1)
    })
}
// ANCHOR_END: limit
