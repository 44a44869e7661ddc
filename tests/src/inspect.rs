//! What Linux tells about a process: `man 5 proc`, `man 3
//! clock_getcpuclockid`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Failure, Process};

impl Process {
    /// Whether this system tells what the functions below ask.
    #[must_use]
    pub fn can_be_inspected() -> bool {
        cfg!(target_os = "linux")
            && fs::exists("/proc/self/fd").unwrap_or(false)
    }

    /// The number of its open descriptors.
    ///
    /// # Errors
    /// A process that has ended; a system without `/proc`.
    pub fn descriptors(&self) -> Result<usize, Failure> {
        let entries = fs::read_dir(self.proc("fd"));
        Ok(entries.map_err(Failure::of("/proc/PID/fd"))?.count())
    }

    /// The number of its threads.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    pub fn threads(&self) -> Result<usize, Failure> {
        self.status("Threads:")
    }

    /// Its resident memory in KiB.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    pub fn resident_kib(&self) -> Result<usize, Failure> {
        self.status("VmRSS:")
    }

    /// The processor time that all its threads have used.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    #[cfg(target_os = "linux")]
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        nix::time::ClockId::pid_cpu_clock_id(self.pid())
            .and_then(nix::time::ClockId::now)
            .map(Duration::from)
            .map_err(Failure::of("clock_getcpuclockid"))
    }

    /// The processor time that all its threads have used.
    ///
    /// # Errors
    /// Always: this system has no such clock for another process.
    #[cfg(not(target_os = "linux"))]
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        Err(Failure::new("no clock for another process's time"))
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.pid()))
    }

    /// The number behind `key` in `/proc/PID/status`.
    fn status(&self, key: &str) -> Result<usize, Failure> {
        let text = fs::read_to_string(self.proc("status"))
            .map_err(Failure::of("/proc/PID/status"))?;
        text.lines()
            .find_map(|line| line.strip_prefix(key))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| Failure::new(format!("/proc/PID/status: no {key}")))
    }
}
