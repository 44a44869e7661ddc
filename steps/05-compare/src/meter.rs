//! What a run costs: CPU time, memory, threads.
//!
//! Another process's CPU time in nanoseconds has a clock of its own:
//! `man 3 clock_getcpuclockid`. (`/proc/PID/stat` counts in hundredths of a
//! second.) Memory and threads stand in `/proc/PID/status`, `man 5 proc`.

use std::fs;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

/// Looks at one server, and at the thread that asks.
// ANCHOR: meter
#[derive(Debug)]
pub(crate) struct Meter {
    clock: Option<ClockId>,
    status: String,
}

/// CPU time used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CpuTime {
    pub(crate) server: Duration,
    pub(crate) client: Duration,
}

impl CpuTime {
    /// What was used since `before`: nothing that is known of where the
    /// server is gone.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            client: self.client.saturating_sub(before.client),
        }
    }
}

impl Meter {
    pub(crate) fn new(server: Pid) -> Self {
        Self {
            clock: ClockId::pid_cpu_clock_id(server).ok(),
            status: format!("/proc/{server}/status"),
        }
    }

    /// The CPU time of the server, with all its threads, and of this thread.
    pub(crate) fn cpu_time(&self) -> CpuTime {
        let read = |clock: Option<ClockId>| {
            clock
                .and_then(|clock| clock.now().ok())
                .map_or(Duration::ZERO, Duration::from)
        };
        CpuTime {
            server: read(self.clock),
            client: read(Some(ClockId::CLOCK_THREAD_CPUTIME_ID)),
        }
    }

    /// The server's memory and threads at this moment; zeros if it is gone.
    pub(crate) fn footprint(&self) -> Footprint {
        Footprint::parse(&fs::read_to_string(&self.status).unwrap_or_default())
    }
}
// ANCHOR_END: meter

/// What a process occupies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Resident memory in KiB, without the pages of the program's own file:
    /// those come from the page cache, and all who run it share them.
    pub(crate) memory: u64,
    pub(crate) threads: u64,
}

impl Footprint {
    fn parse(status: &str) -> Self {
        let value = |key: &str| {
            let mut lines = status.lines();
            lines
                .find_map(|line| line.strip_prefix(key))
                .and_then(|rest| rest.split_whitespace().next())
                .and_then(|number| number.parse().ok())
                .unwrap_or(0)
        };
        Self { memory: value("RssAnon:"), threads: value("Threads:") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footprint_is_read_from_proc() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\n\
                      Threads:\t3\n";
        let expected = Footprint { memory: 1_024, threads: 3 };
        assert_eq!(Footprint::parse(status), expected);
        assert_eq!(Footprint::parse(""), Footprint::default());
    }

    #[test]
    fn the_cpu_clock_of_a_process_runs() {
        let meter = Meter::new(Pid::this());
        assert!(meter.cpu_time().server > Duration::ZERO);
        assert!(meter.footprint().threads > 0);
    }
}
