//! The threads of a run, and the main thread that supervises them.

use std::io;
use std::iter;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, Builder};
use std::time::Instant;

use indicatif::ProgressBar;
use protocol::{Call, Result, ResultExt};

use crate::deadline::Slot;
use crate::schedule::POLL_INTERVAL;
use crate::stats::{Batch, Stats};
use crate::worker::{Config, Worker};

/// A worker needs little: see step 02.
const STACK_SIZE: usize = 128 * 1_024;
/// What a thread maps beside its stack: the stack for signals, a guard page
/// below each, and what it allocates.
const MAPPED_BESIDE: usize = 64 * 1_024;

/// Starts all threads of a run, waits for them, and adds up what they count.
///
/// # Errors
/// EAGAIN where a thread can't be created, ENOMEM where there is no memory for
/// all of them. `man 3 pthread_create`.
// ANCHOR: work
pub(crate) fn run_workers(
    config: &Config<'_>,
    progress: &ProgressBar,
) -> Result<Stats> {
    let workers = config.schedule.workers;
    check_memory(workers).context(Call::Thread)?;
    let slots: Vec<_> =
        iter::repeat_with(Slot::default).take(workers).collect();
    thread::scope(|scope| {
        let (sender, batches) = mpsc::channel();
        let start = |(number, slot)| {
            let worker = Worker::new(config, slot, sender.clone());
            let work = move || worker.run(number);
            Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work)
        };
        let started: io::Result<Vec<_>> =
            slots.iter().enumerate().map(start).collect();
        if started.is_err() {
            config.cancellation.cancel();
        }
        // The channel ends when the last worker has dropped its sender.
        drop(sender);
        let stats = supervise(config, &slots, &batches, progress);
        started.map(|_| stats).context(Call::Thread)
    })
}
// ANCHOR_END: work

/// Whether there is room for so many threads. Where one can be created and
/// then gets no stack for its signals, Rust's runtime ends the process; so we
/// ask before the first, by an allocation that is given back untouched.
fn check_memory(workers: usize) -> io::Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(workers * (STACK_SIZE + MAPPED_BESIDE))
        .map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// Adds up what comes until the last worker has ended, and checks deadlines
/// meanwhile.
// ANCHOR: supervise
fn supervise(
    config: &Config<'_>,
    slots: &[Slot],
    batches: &Receiver<Batch>,
    progress: &ProgressBar,
) -> Stats {
    let mut stats = Stats::new();
    let mut next_check = Instant::now() + POLL_INTERVAL;
    loop {
        let left = next_check.saturating_duration_since(Instant::now());
        match batches.recv_timeout(left) {
            Ok(batch) => stats.add(&batch),
            Err(RecvTimeoutError::Disconnected) => return stats,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if now >= next_check {
            next_check = now + POLL_INTERVAL;
            let is_cancelled = config.cancellation.is_cancelled();
            slots.iter().for_each(|slot| slot.check(now, is_cancelled));
            progress.set_position(stats.latencies.len());
        }
    }
}
// ANCHOR_END: supervise
