//! All kinds of clients at the same time, for some seconds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::workloads::{Kept, WORKLOADS, Workload};
use harness::{CaseError, Server};

/// What came of all visits so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Visits of each kind of client.
    pub visits: BTreeMap<&'static str, usize>,
    /// Requests that had the right reply.
    pub requests: usize,
    /// What must not happen to any client.
    pub failures: Vec<CaseError>,
}

impl Tally {
    /// Keep no more than this of what went wrong.
    const KEPT: usize = 1_000;

    /// Adds those of `other`.
    pub fn add(&mut self, other: Self) {
        for (name, count) in other.visits {
            *self.visits.entry(name).or_default() += count;
        }
        self.requests += other.requests;
        self.failures.extend(other.failures);
        self.failures.truncate(Self::KEPT);
    }
}

/// Lets all workloads come again and again for `time`; in the end all leave.
pub(super) fn round(server: &Server, time: Duration) -> Tally {
    let over = AtomicBool::new(false);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let each = WORKLOADS.iter().flat_map(|v| vec![v; v.count]);
        let threads: Vec<_> = each
            .map(|workload| scope.spawn(|| come_again(server, workload, &over)))
            .collect();
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
        for thread in threads {
            match thread.join() {
                Ok(visits) => tally.add(visits),
                Err(_) => tally.failures.push(CaseError::new("a panic")),
            }
        }
    });
    tally
}

fn come_again(
    server: &Server,
    workload: &Workload,
    over: &AtomicBool,
) -> Tally {
    let mut tally = Tally::default();
    let mut kept = Kept::new();
    let mut visits = 0;
    while !over.load(Ordering::Relaxed) {
        visits += 1;
        match (workload.visit)(server, &mut kept) {
            Ok(requests) => tally.requests += requests,
            Err(failure) => {
                tally.failures.push(failure.with("client", workload.name));
            }
        }
        thread::sleep(workload.pause);
    }
    tally.visits.insert(workload.name, visits);
    tally
}
