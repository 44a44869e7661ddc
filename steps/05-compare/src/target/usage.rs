//! What a run costs: CPU time, memory, threads of a server, and of all of the
//! processes that it has started.
//!
//! A process has a clock for its CPU time: `man 3 clock_getcpuclockid`. For
//! children that have ended and were waited for there is only `/proc/PID/stat`,
//! in hundredths of a second. Where a process ignores SIGCHLD they are not
//! waited for, and what they have used is lost: `man 2 times`. Memory and
//! threads stand in `/proc/PID/status`, `man 5 proc`.

use std::time::Duration;

use load_client::waited_for_core;
use nix::sys::signal::Signal;
use nix::time::ClockId;
use nix::unistd::Pid;
use procfs::process::Stat;

use super::proc::{self, ticks};

/// Reads what a server uses, and the thread that asks.
#[derive(Debug)]
pub(crate) struct Meter {
    guard: Pid,
    /// The processes that the last look at all of `/proc` has found.
    processes: Vec<Stat>,
}

/// CPU time used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CpuTime {
    pub(crate) server: Duration,
    pub(crate) client: Duration,
    /// The client was ready to run and had no core.
    pub(crate) client_waited: Duration,
}

/// What processes occupy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Footprint {
    /// Resident memory in bytes, without the pages of the program's own file:
    /// those come from the page cache, and all processes that run it share
    /// them. Pages that processes share after a fork count for each.
    pub(crate) memory: f64,
    pub(crate) threads: f64,
    pub(crate) ignores_children: bool,
}

impl Meter {
    /// For the processes that `guard` guards.
    pub(crate) fn new(guard: Pid) -> Self {
        Self { guard, processes: Vec::new() }
    }

    /// Looks at all of `/proc` for children of the guard, and for theirs: one
    /// that loses its parent becomes the guard's. On a machine with thousands
    /// of processes that takes a while: not to be done all the time.
    pub(crate) fn find_processes(&mut self) {
        let mut others: Vec<_> = proc::all().collect();
        let mut parents = vec![self.guard.as_raw()];
        self.processes.clear();
        while let Some(parent) = parents.pop() {
            let is_child = |process: &mut Stat| process.ppid == parent;
            for child in others.extract_if(.., is_child) {
                parents.push(child.pid);
                self.processes.push(child);
            }
        }
    }

    /// The CPU time of the server, with all its threads, its processes, and
    /// their children that have ended and were waited for; and of this thread.
    pub(crate) fn cpu_time(&mut self) -> CpuTime {
        self.find_processes();
        let of_process = |process: &Stat| {
            let pid = Pid::from_raw(process.pid);
            let ended_children = process.cutime + process.cstime;
            let clock = ClockId::pid_cpu_clock_id(pid).ok();
            ticks(ended_children.cast_unsigned()) + read(clock)
        };
        CpuTime {
            server: self.processes.iter().map(of_process).sum(),
            client: read(Some(ClockId::CLOCK_THREAD_CPUTIME_ID)),
            client_waited: waited_for_core(),
        }
    }

    /// Of the processes that were found, at this moment; 0 if they are gone.
    pub(crate) fn footprint(&self) -> Footprint {
        let pids = self.processes.iter().map(|one| Pid::from_raw(one.pid));
        let mut sum = Footprint::default();
        for status in pids.filter_map(proc::status) {
            sum.memory += status.rssanon.unwrap_or(0) as f64 * 1_024.0;
            sum.threads += status.threads as f64;
            let ignored = status.sigign >> (Signal::SIGCHLD as u32 - 1);
            sum.ignores_children |= ignored & 1 == 1;
        }
        sum
    }
}

fn read(clock: Option<ClockId>) -> Duration {
    let now = clock.and_then(|clock| clock.now().ok());
    now.map_or(Duration::ZERO, Duration::from)
}
