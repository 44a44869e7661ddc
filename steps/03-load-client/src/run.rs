//! A run: which thread makes which request, and when it is due.
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

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::Options;

/// How often threads that wait check whether the run was cancelled.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What all threads of a run have in common.
pub(crate) struct Run<'a> {
    pub(crate) options: &'a Options,
    /// `Instant` never goes back. The article's `gettimeofday` does, whenever
    /// the clock is set.
    pub(crate) start: Instant,
    /// Set once the run is to end early: to the signal that came, or to `None`
    /// where a thread could not be created.
    pub(crate) cancelled: Arc<OnceLock<Option<i32>>>,
}

impl Run<'_> {
    /// The numbers of the requests that this worker makes. They are dealt like
    /// cards: thread 3 of 10 makes requests 3, 13, 23, and so on. The article
    /// divides, and drops what remains: 10,005 requests are 10,000 there.
    pub(crate) fn share(&self, worker: u64) -> impl Iterator<Item = u64> {
        (worker..self.options.total).step_by(self.options.workers() as usize)
    }

    /// When this request is due; `None` as soon as its thread is free.
    pub(crate) fn due(&self, request: u64) -> Option<Instant> {
        let seconds = request as f64 / self.options.rate?;
        Some(self.start + Duration::from_secs_f64(seconds))
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get().is_some()
    }
}
