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
    // ANCHOR: share
    pub(crate) fn share(&self, worker: usize) -> impl Iterator<Item = u64> {
        (worker as u64..self.total).step_by(self.workers)
    }

    /// The least and the most requests that a worker makes.
    pub(crate) fn shares(total: u64, workers: usize) -> (u64, u64) {
        let workers = workers as u64;
        (total / workers, total.div_ceil(workers))
    }
    // ANCHOR_END: share

    /// When this request is due; `None` as soon as its thread is free.
    // ANCHOR: due
    pub(crate) fn due(&self, request: u64) -> Option<Instant> {
        let seconds = request as f64 / self.rate?;
        Some(self.start + Duration::from_secs_f64(seconds))
    }
    // ANCHOR_END: due
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Schedule;

    fn schedule(total: u64, workers: usize, rate: Option<f64>) -> Schedule {
        Schedule { total, workers, start: Instant::now(), rate }
    }

    #[test]
    fn no_request_is_dropped_and_none_is_made_twice() {
        for (total, workers) in [(1, 1), (10, 10), (10_005, 10), (99, 7)] {
            let schedule = schedule(total, workers, None);
            let mut all: Vec<u64> =
                (0..workers).flat_map(|w| schedule.share(w)).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..total), "{total} by {workers}");
        }
    }

    #[test]
    fn every_share_lies_within_the_bounds_that_are_printed() {
        let (least, most) = Schedule::shares(10_005, 10);
        assert_eq!((least, most), (1_000, 1_001));
        let schedule = schedule(10_005, 10, None);
        for worker in 0..10 {
            let count = schedule.share(worker).count();
            assert!((1_000..=1_001).contains(&count), "{count}");
        }
    }

    #[test]
    fn requests_are_due_at_equal_distances() {
        let schedule = schedule(100, 10, Some(200.0));
        let offset = |n| schedule.due(n).map(|due| due - schedule.start);
        assert_eq!(offset(0), Some(Duration::ZERO));
        assert_eq!(offset(50), Some(Duration::from_millis(250)));
    }

    #[test]
    fn without_a_rate_nothing_is_due() {
        assert_eq!(schedule(1, 1, None).due(0), None);
    }
}
