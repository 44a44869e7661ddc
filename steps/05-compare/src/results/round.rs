//! One server under one load in one round.

use std::collections::BTreeMap;

use load_client::Latency;
use serde::{Deserialize, Serialize};

/// Times are in seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)] // what an older version did not write
pub(crate) struct Round {
    /// 0 is the first.
    pub(crate) round: usize,
    /// Why nothing was measured: the server did not start, or ended.
    pub(crate) failure: Option<String>,
    /// Ctrl-C came before the end.
    #[serde(skip)]
    pub(crate) interrupted: bool,
    /// How long it was measured.
    pub(crate) seconds: f64,
    /// Good replies a second.
    pub(crate) rps: f64,
    /// The rate that users with this mean latency make, by Little's law.
    pub(crate) expected_rps: Option<f64>,
    /// Of all requests: until the reply, or until it failed.
    #[serde(flatten)]
    pub(crate) latency: Latency,
    /// Some have failed: latencies from here on are lower bounds.
    pub(crate) lower_bounds_from: Option<f64>,
    /// Requests that were due, those that succeeded, and why others failed.
    pub(crate) requests: u64,
    pub(crate) succeeded: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    /// All good replies, those of the warm-up among them.
    pub(crate) answered: u64,
    /// CPU time for a request, of all processes of the server.
    pub(crate) cpu_per_request: f64,
    /// Cores in use on average.
    pub(crate) cpu: f64,
    /// The server has told the kernel to forget children that have ended
    /// (SIGCHLD ignored): what they used is not in the CPU time.
    pub(crate) cpu_is_bound: bool,
    pub(crate) client_cpu: f64,
    /// The part of the time in which the client was ready to run and had no
    /// core.
    pub(crate) client_waited: f64,
    /// The client sent 1 of 100 requests later than this after it was due.
    pub(crate) lateness: f64,
    /// How often a thread was taken from a core, for a request.
    pub(crate) switches_per_request: f64,
    /// The most memory that was resident, in bytes: see `usage.rs`.
    pub(crate) memory: f64,
    /// The most after the first tenth of the time, and in the last one.
    pub(crate) memory_early: f64,
    pub(crate) memory_late: f64,
    /// The most threads that were seen.
    pub(crate) threads: f64,
    /// Memory and threads that came with each connection that had a reply,
    /// where all were there at the end and none at the start.
    pub(crate) memory_per_connection: f64,
    pub(crate) threads_per_connection: f64,
    /// What the kernel counted of TCP: see `netstat.rs`.
    pub(crate) kernel: BTreeMap<String, u64>,
    /// Replies that took whole seconds and next to nothing, for 1 s, 2 s, …
    pub(crate) retransmit_counts: BTreeMap<u64, u64>,
    /// Replies that took 40 ms, more than around that.
    pub(crate) delayed_ack_count: u64,
}

impl Round {
    /// The server answered nothing: its latencies are then no figures.
    pub(crate) fn is_dead(&self) -> bool {
        self.succeeded == 0
    }

    /// No reply came while it was measured: none at all, or each took too long.
    pub(crate) fn is_silent(&self) -> bool {
        let slow = self.rps == 0.0 && self.latency.p50 > self.seconds / 2.0;
        slow || self.is_dead()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// How far the kernel's counter with this name has moved.
    pub(crate) fn counted(&self, name: &str) -> f64 {
        self.kernel.get(name).map_or(0.0, |&count| count as f64)
    }
}
