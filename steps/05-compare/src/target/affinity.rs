//! Which process runs on which core.
//!
//! The scheduler may put two processes that talk to each other on one core, and
//! not in the next round: a factor of two. So the client has a core of its own,
//! and the server has all the others. `man 2 sched_setaffinity`.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// This thread.
const SELF: Pid = Pid::from_raw(0);

/// The processors that we may use, split between client and server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Affinity {
    client: Vec<usize>,
    server: Vec<usize>,
}

impl Affinity {
    /// The first core for the client, the others for the server. What is given
    /// holds: the rest follows from it.
    ///
    /// Two hardware threads of one core are not two cores: where the client has
    /// one of them the server does not get the other, unless there is nothing
    /// else.
    pub(crate) fn split(
        client: Option<Vec<usize>>,
        server: Option<Vec<usize>>,
    ) -> Result<Self, String> {
        let allowed = allowed();
        let given = client.iter().chain(&server).flatten();
        if let Some(missing) = given.into_iter().find(|n| !allowed.contains(n))
        {
            return Err(format!(
                "there is no processor {missing}: this program may use {}",
                list(&allowed)
            ));
        }
        let client = client.unwrap_or_else(|| {
            let taken = server.clone().unwrap_or_default();
            without(&allowed, &taken).into_iter().take(1).collect()
        });
        let server = server.unwrap_or_else(|| {
            let siblings: Vec<_> =
                client.iter().flat_map(|&cpu| siblings(cpu)).collect();
            let choices = [&siblings, &client].map(|w| without(&allowed, w));
            let found = choices.into_iter().find(|rest| !rest.is_empty());
            found.unwrap_or(allowed)
        });
        Ok(Self {
            client: if client.is_empty() { server.clone() } else { client },
            server,
        })
    }

    /// Calls `start` on the server's processors, which a child inherits.
    pub(crate) fn with_server_cores<T>(&self, start: impl FnOnce() -> T) -> T {
        // What fails here makes a measurement noisier and not impossible.
        let _ = sched_setaffinity(SELF, &set(&self.server));
        let started = start();
        let _ = sched_setaffinity(SELF, &set(&self.client));
        started
    }

    /// "processor 1 for the server, 0 for the client"
    pub(crate) fn describe(&self) -> String {
        let (server, client) = (list(&self.server), list(&self.client));
        let mut cores = self.client.iter().flat_map(|&cpu| siblings(cpu));
        let is_shared = cores.any(|cpu| self.server.contains(&cpu));
        let shared = if is_shared { ", which share a core" } else { "" };
        format!(
            "processor {server} for the server, {client} for the client{shared}"
        )
    }
}

fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(SELF).unwrap_or_default();
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).collect()
}

fn set(cpus: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        let _ = set.set(cpu); // only numbers that came out of such a set
    }
    set
}

fn without(all: &[usize], taken: &[usize]) -> Vec<usize> {
    all.iter().copied().filter(|cpu| !taken.contains(cpu)).collect()
}

/// The hardware threads of the core that `cpu` is one of, itself included.
fn siblings(cpu: usize) -> Vec<usize> {
    let path = format!(
        "/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    );
    let text = fs::read_to_string(path).unwrap_or_default();
    parse_list(text.trim()).unwrap_or_else(|_| vec![cpu])
}

/// Reads `0-3,5`, as the kernel and `taskset` write it.
pub(crate) fn parse_list(text: &str) -> Result<Vec<usize>, String> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from <= to && to < CpuSet::count()).then_some(from..=to)
    };
    let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
    let cpus = ranges.map(|ranges| ranges.into_iter().flatten().collect());
    cpus.ok_or_else(|| "give processors, such as 1 or 0-3,5".into())
}

fn list(cpus: &[usize]) -> String {
    let cpus: Vec<_> = cpus.iter().map(ToString::to_string).collect();
    cpus.join(",")
}
