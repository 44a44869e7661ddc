//! Which thread makes which request, and when it is due.
//!
//! Without a rate each thread sends its next request when the reply to the last
//! has come: a closed loop. It measures how much a server can do, and it is a
//! poor judge of latency: while the server stands still, the client stands
//! still with it, and a second's pause counts as one slow request.
//!
//! With a rate the requests come on a fixed schedule, as from people who do not
//! know of each other: an open loop. A request that is late because the one
//! before it was slow has waited all the same, so its latency counts from when
//! it was due. To count from when it was sent would be the mistake that is
//! known as coordinated omission.

use std::time::{Duration, Instant};

/// How often threads that wait check whether the run was cancelled. A timeout,
/// too, may be late by as much.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The requests of a run, dealt to its threads like cards: thread 3 of 10 makes
/// requests 3, 13, 23, and so on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) total: u64,
    pub(crate) workers: usize,
    pub(crate) start: Instant,
    /// Requests per second, for an open loop.
    pub(crate) rate: Option<f64>,
}

impl Schedule {
    /// The numbers of the requests that this worker makes.
    ///
    /// The article divides, and drops what remains: 10,005 requests are 10,000
    /// there. Dealing drops none.
    pub(crate) fn share(&self, worker: usize) -> impl Iterator<Item = u64> {
        (worker as u64..self.total).step_by(self.workers)
    }

    /// The least and the most requests that a worker makes.
    pub(crate) fn shares(total: u64, workers: usize) -> (u64, u64) {
        let workers = workers as u64;
        (total / workers, total.div_ceil(workers))
    }

    /// When this request is due; `None` as soon as its thread is free.
    pub(crate) fn due(&self, request: u64) -> Option<Instant> {
        let seconds = request as f64 / self.rate?;
        Some(self.start + Duration::from_secs_f64(seconds))
    }
}
