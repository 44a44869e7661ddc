//! How many clients a process may have.

use std::io;

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::unistd::{SysconfVar, sysconf};

/// Descriptors that are not a client's, and some to spare.
const RESERVED_FDS: usize = 12;

/// A thread takes four mappings of memory: its stack, the stack on which Rust
/// reports an overflow of that one, and a guard page below each. Past 65,530
/// mappings (`vm.max_map_count`) the runtime ends the process.
pub(crate) const MAX_THREADS: usize = 15_000;

/// Address space to be free before a thread is started: others may just start.
const RESERVED_BYTES: u64 = 4_500_000;

/// The number of clients to serve at a time: `requested`, or else what the
/// limit on open files allows. `man 2 getrlimit`, `RLIMIT_NOFILE`.
pub fn connection_limit(requested: Option<usize>) -> usize {
    requested.unwrap_or_else(|| {
        let (soft, _hard) =
            getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1_024, 1_024));
        let soft = usize::try_from(soft).unwrap_or(usize::MAX);
        soft.saturating_sub(RESERVED_FDS).max(1)
    })
}

/// ENOMEM where the limit on address space (`ulimit -v`) is near: a thread that
/// finds no room for its second stack would end the process.
/// `man 2 getrlimit`, `RLIMIT_AS`; `man 5 proc_pid_statm`.
pub(crate) fn check_address_space() -> io::Result<()> {
    let (soft, _hard) = getrlimit(Resource::RLIMIT_AS)?;
    if soft == RLIM_INFINITY {
        return Ok(());
    }
    // In pages, the first number. Where there is no /proc the limit counts.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').next().and_then(|text| text.parse().ok());
    let page_size = sysconf(SysconfVar::PAGE_SIZE)?.unwrap_or(4_096) as u64;
    let is_near = pages.unwrap_or(0) * page_size + RESERVED_BYTES > soft;
    if is_near { Err(Errno::ENOMEM.into()) } else { Ok(()) }
}
