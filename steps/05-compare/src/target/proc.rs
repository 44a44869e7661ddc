//! What `/proc` says of processes. `man 5 proc`.

use std::fs;
use std::time::Duration;

use nix::unistd::{Pid, SysconfVar, sysconf};

/// A process, as one line of `/proc/PID/stat` has it.
// ANCHOR: process
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Whose child it is.
    pub parent: Pid,
    /// The process group that it belongs to.
    pub group: Pid,
    /// CPU time of its children that have ended and were waited for, in whole
    /// ticks of 10 ms.
    pub ended_children: Duration,
}

impl Process {
    /// All processes at this moment.
    pub fn all() -> impl Iterator<Item = Self> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Self::read(Pid::from_raw(pid))
        })
    }

    /// One process, if it is there.
    #[must_use]
    pub fn read(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name stands in parentheses, and may hold any character.
    pub(crate) fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(" (")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<_> = rest.split(' ').collect();
        // Fields count from 3 here: state, ppid, pgrp, and so on.
        let number = |field: usize| fields.get(field - 3)?.parse::<i32>().ok();
        let ticks = u32::try_from(number(16)? + number(17)?).ok()?;
        Some(Self {
            pid: Pid::from_raw(pid.parse().ok()?),
            parent: Pid::from_raw(number(4)?),
            group: Pid::from_raw(number(5)?),
            ended_children: tick() * ticks,
        })
    }
}
// ANCHOR_END: process

/// Whether there is a `/proc`: by it this program starts itself anew, and finds
/// what a server has started.
///
/// # Errors
/// What to do where there is none, as in some containers.
pub fn available() -> Result<(), String> {
    match fs::exists("/proc/self/exe") {
        Ok(true) => Ok(()),
        _ => Err("needs /proc, to start, measure and end servers, and there \
                  is none here: mount -t proc proc /proc"
            .into()),
    }
}

pub(crate) fn tick() -> Duration {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    Duration::from_secs(1) / per_second.map_or(100, |count| count as u32)
}

/// The value behind `key:` in `/proc/PID/status` or `/proc/meminfo`, 0 where
/// there is none; those in KiB come out in bytes.
#[must_use]
pub fn value_of(path: &str, key: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    find_value(&text, key).unwrap_or(0)
}

pub(crate) fn find_value(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|l| l.strip_prefix(key)?.strip_prefix(':'))?;
    let mut words = rest.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    Some(if words.next() == Some("kB") { number * 1_024 } else { number })
}
