//! The threads of a run, and the main thread that watches over them.

use std::io;
use std::iter;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use protocol::{Doing, Failure};

use crate::in_flight::Slot;
use crate::progress::Progress;
use crate::tally::Tally;
use crate::worker::{Job, Worker};

/// How often threads that wait look up. A timeout, and the end of a run that a
/// signal asked for, may be late by as much.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// A worker needs little: see step 02.
const STACK_SIZE: usize = 128 * 1_024;

/// Starts all threads of a run, waits for them, and says how each one did.
///
/// # Errors
/// EAGAIN where a thread can't be created. `man 3 pthread_create`.
// ANCHOR: work
pub(crate) fn work(
    job: &Job<'_>,
    progress: &Progress,
) -> Result<Vec<Tally>, Failure> {
    let workers = job.schedule.workers;
    let slots: Vec<_> =
        iter::repeat_with(Slot::default).take(workers).collect();
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        let start = |(number, slot)| {
            let worker = Worker::new(job, slot);
            let sender = sender.clone();
            let work = move || drop(sender.send(worker.run(number)));
            Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work)
        };
        let started: io::Result<Vec<_>> =
            slots.iter().enumerate().map(start).collect();
        if started.is_err() {
            job.stop.ask();
        }
        // The channel ends when the last worker has dropped its sender.
        drop(sender);
        let tallies = watch_over(job, &slots, &results, progress);
        started.map(|_| tallies).map_err(|e| Doing::Thread.failed(e))
    })
}
// ANCHOR_END: work

/// Collects the results as the workers finish, and looks around meanwhile.
// ANCHOR: watch_over
fn watch_over(
    job: &Job<'_>,
    slots: &[Slot],
    results: &Receiver<Tally>,
    progress: &Progress,
) -> Vec<Tally> {
    let mut tallies = Vec::new();
    let mut next_look = Instant::now() + TICK;
    loop {
        let left = next_look.saturating_duration_since(Instant::now());
        match results.recv_timeout(left) {
            Ok(tally) => tallies.push(tally),
            Err(RecvTimeoutError::Disconnected) => return tallies,
            Err(RecvTimeoutError::Timeout) => {
                look_around(job, slots, progress);
                next_look = Instant::now() + TICK;
            }
        }
    }
}

fn look_around(job: &Job<'_>, slots: &[Slot], progress: &Progress) {
    let now = Instant::now();
    for slot in slots {
        if job.stop.asked() {
            slot.interrupt();
        } else {
            slot.expire(now);
        }
    }
    progress.show(slots.iter().map(Slot::answered).sum());
}
// ANCHOR_END: watch_over
