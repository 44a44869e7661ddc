//! What `/proc` says of processes. `man 5 proc`.

use std::fs;
use std::time::Duration;

use nix::unistd::Pid;
use procfs::process::{Process, Stat, Status, all_processes};

/// All processes at this moment: whose child each is, its group, and more.
pub(crate) fn all() -> impl Iterator<Item = Stat> {
    // One that cannot be read has ended in the meantime.
    let processes = all_processes().into_iter().flatten().flatten();
    processes.filter_map(|process| process.stat().ok())
}

/// What one process occupies, if it is there: sizes in KiB.
pub fn status(pid: Pid) -> Option<Status> {
    Process::new(pid.as_raw()).ok()?.status().ok()
}

/// Times in `/proc` count in ticks, 10 ms mostly.
pub(crate) fn ticks(count: u64) -> Duration {
    let second = procfs::ticks_per_second() as f64;
    Duration::from_secs_f64(count as f64 / second)
}

/// Whether there is a `/proc`: by it this program starts itself anew, and finds
/// what a server has started. Some containers have none.
pub fn available() -> Result<(), String> {
    match fs::exists("/proc/self/exe") {
        Ok(true) => Ok(()),
        _ => Err("needs /proc, to start, measure and end servers, and there \
                  is none here: mount -t proc proc /proc"
            .into()),
    }
}
