//! A process: what it holds, uses and does. Also `man 3 clock_getcpuclockid`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;

use super::{entries, sockets, text};
use crate::CaseError;

/// A process as others see it, ours or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proc(Pid);

impl Proc {
    /// The process with this number.
    #[must_use]
    pub fn of(pid: Pid) -> Self {
        Self(pid)
    }

    /// Of this process, its children, and theirs, the first that has a socket:
    /// a script that has started the server has none.
    pub(crate) fn first_with_a_socket(self) -> Option<Self> {
        let mut generation = vec![self];
        while !generation.is_empty() {
            let mut all = generation.iter().copied();
            if let Some(found) = all.find(|it| !it.sockets().is_empty()) {
                return Some(found);
            }
            generation =
                generation.into_iter().flat_map(Self::children).collect();
        }
        None
    }

    fn children(self) -> Vec<Self> {
        let tasks = self.tasks().into_iter();
        let texts = tasks.map(|task| text(task.join("children")));
        texts.flat_map(|text| numbers(&text)).map(Self::numbered).collect()
    }

    /// The processes that listen on `port`.
    pub(crate) fn listening_on(port: u16) -> impl Iterator<Item = Self> {
        let inodes = sockets::listening_on(port);
        Self::all().filter(move |process| {
            process.sockets().iter().any(|inode| inodes.contains(inode))
        })
    }

    fn all() -> impl Iterator<Item = Self> {
        let names = entries("/proc").into_iter();
        names
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .map(Self::numbered)
    }

    fn numbered(number: i32) -> Self {
        Self(Pid::from_raw(number))
    }

    /// Those of `group`.
    pub(crate) fn in_group(group: Pid) -> impl Iterator<Item = Self> {
        Self::all().filter(move |process| process.group() == Some(group))
    }

    /// Its number.
    #[must_use]
    pub fn pid(self) -> Pid {
        self.0
    }

    /// The number of its process group.
    pub(crate) fn group(self) -> Option<Pid> {
        self.stat(2).map(Pid::from_raw)
    }

    /// Whether it was started with `variable`, as in `NAME=VALUE`.
    pub(crate) fn was_given(self, variable: &str) -> bool {
        text(self.file("environ")).split('\0').any(|entry| entry == variable)
    }

    /// The inodes of its sockets.
    pub(crate) fn sockets(self) -> Vec<String> {
        let links = entries(self.file("fd")).into_iter();
        links
            .filter_map(|path| {
                let target = fs::read_link(path).ok()?;
                let inode = target.to_str()?.strip_prefix("socket:[")?;
                Some(inode.trim_end_matches(']').to_owned())
            })
            .collect()
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

    /// Whether one of its threads runs, or would if others let it. Unlike the
    /// time that it gets this does not depend on what else the machine does.
    #[must_use]
    pub fn wants_to_run(self) -> bool {
        // A thread may end before its state is read.
        self.tasks().iter().any(|task| state(task) == Some('R'))
    }

    /// How long its threads have waited for a processor: `schedstat`, the second
    /// number, in nanoseconds. 0 where the system does not count it.
    pub(crate) fn time_in_run_queue(self) -> Duration {
        let waited = |task: &PathBuf| -> Option<u64> {
            let text = text(task.join("schedstat"));
            text.split_whitespace().nth(1)?.parse().ok()
        };
        Duration::from_nanos(self.tasks().iter().filter_map(waited).sum())
    }

    /// Whether it waits for something.
    #[must_use]
    pub fn waits(self) -> bool {
        state(&self.file("")) == Some('S')
    }

    /// Whether each of its threads is stopped, as by SIGSTOP.
    #[must_use]
    pub fn is_stopped(self) -> bool {
        // `t`: under a tracer, such as `strace`.
        let stopped = |task: &PathBuf| matches!(state(task), Some('T' | 't'));
        self.tasks().iter().all(stopped)
    }

    /// Whether each of its threads is traced, as by `strace`.
    #[must_use]
    pub fn is_traced(self) -> bool {
        let tasks = self.tasks();
        let untraced = |task: &PathBuf| {
            let status = text(task.join("status"));
            status.is_empty() || status.contains("\nTracerPid:\t0\n")
        };
        !tasks.is_empty() && !tasks.iter().any(untraced)
    }

    fn tasks(self) -> Vec<PathBuf> {
        entries(self.file("task"))
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

    /// Field number `n` of `/proc/PID/stat` behind its name: its state is 0,
    /// its parent 1, its group 2.
    fn stat(self, n: usize) -> Option<i32> {
        behind_the_name(&self.file(""))?.split(' ').nth(n)?.parse().ok()
    }
}

/// `S`: it waits. `T`: it is stopped. `R`: it runs, or wants to.
fn state(process: &Path) -> Option<char> {
    behind_the_name(process)?.chars().next()
}

/// The name may contain anything.
fn behind_the_name(process: &Path) -> Option<String> {
    let stat = text(process.join("stat"));
    stat.rsplit_once(") ").map(|(_, fields)| fields.to_owned())
}

fn numbers(text: &str) -> Vec<i32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
