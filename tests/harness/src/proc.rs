//! What Linux tells about a process: `man 5 proc`, `man 3
//! clock_getcpuclockid`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Pid;

use crate::{CaseError, Process};

/// A process as others see it, ours or not.
#[derive(Clone, Copy, Debug)]
pub struct Proc(Pid);

impl Proc {
    /// The process with this number.
    #[must_use]
    pub fn of(pid: Pid) -> Self {
        Self(pid)
    }

    /// The number of its open descriptors.
    ///
    /// # Errors
    /// A process that has ended; a system without `/proc`.
    pub fn descriptors(self) -> Result<usize, CaseError> {
        let entries = fs::read_dir(self.file("fd"));
        Ok(entries.map_err(CaseError::of("/proc/PID/fd"))?.count())
    }

    /// The number of its threads.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    pub fn threads(self) -> Result<usize, CaseError> {
        self.status("Threads:")
    }

    /// Its resident memory in KiB.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    pub fn resident_kib(self) -> Result<usize, CaseError> {
        self.status("VmRSS:")
    }

    /// The processor time that all its threads have used.
    ///
    /// # Errors
    /// As [`descriptors`](Self::descriptors).
    #[cfg(target_os = "linux")]
    pub fn cpu_time(self) -> Result<Duration, CaseError> {
        nix::time::ClockId::pid_cpu_clock_id(self.0)
            .and_then(nix::time::ClockId::now)
            .map(Duration::from)
            .map_err(CaseError::of("clock_getcpuclockid"))
    }

    /// The processor time that all its threads have used.
    ///
    /// # Errors
    /// Always: this system has no such clock for another process.
    #[cfg(not(target_os = "linux"))]
    pub fn cpu_time(self) -> Result<Duration, CaseError> {
        Err(CaseError::new("no clock for another process's time"))
    }

    fn file(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    /// The number behind `key` in `/proc/PID/status`.
    fn status(self, key: &str) -> Result<usize, CaseError> {
        let text = fs::read_to_string(self.file("status"))
            .map_err(CaseError::of("/proc/PID/status"))?;
        text.lines()
            .find_map(|line| line.strip_prefix(key))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| {
                CaseError::new(format!("/proc/PID/status: no {key}"))
            })
    }
}

impl Process {
    /// Whether this system tells what the functions below ask.
    #[must_use]
    pub fn can_be_inspected() -> bool {
        cfg!(target_os = "linux")
            && fs::exists("/proc/self/fd").unwrap_or(false)
    }

    /// This process as others see it.
    #[must_use]
    pub fn proc(&self) -> Proc {
        Proc::of(self.pid())
    }

    /// See [`Proc::descriptors`].
    ///
    /// # Errors
    /// As there.
    pub fn descriptors(&self) -> Result<usize, CaseError> {
        self.proc().descriptors()
    }

    /// See [`Proc::threads`].
    ///
    /// # Errors
    /// As there.
    pub fn threads(&self) -> Result<usize, CaseError> {
        self.proc().threads()
    }

    /// See [`Proc::resident_kib`].
    ///
    /// # Errors
    /// As there.
    pub fn resident_kib(&self) -> Result<usize, CaseError> {
        self.proc().resident_kib()
    }

    /// See [`Proc::cpu_time`].
    ///
    /// # Errors
    /// As there.
    pub fn cpu_time(&self) -> Result<Duration, CaseError> {
        self.proc().cpu_time()
    }
}
