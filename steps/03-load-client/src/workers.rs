//! The threads of a run, and the main thread that supervises them.

use std::io;
use std::iter;
use std::thread::{self, Builder};
use std::time::Instant;

use indicatif::ProgressBar;
use protocol::{Call, Result, ResultExt};

use crate::deadline::Slot;
use crate::schedule::POLL_INTERVAL;
use crate::stats::Stats;
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
pub(crate) fn run_workers(
    config: &Config<'_>,
    progress: &ProgressBar,
) -> Result<Stats> {
    let workers = config.schedule.workers;
    check_memory(workers).context(Call::Thread)?;
    let slots: Vec<_> =
        iter::repeat_with(Slot::default).take(workers).collect();
    let mut stats = Stats::new();
    let started = thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut start = |(number, slot)| {
            let worker = Worker::new(config, slot);
            let work = move || worker.run(number);
            let builder = Builder::new().stack_size(STACK_SIZE);
            builder.spawn_scoped(scope, work).map(|new| threads.push(new))
        };
        let started = slots.iter().enumerate().try_for_each(&mut start);
        if started.is_err() {
            config.cancellation.cancel();
        }
        while threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(POLL_INTERVAL);
            supervise(config, &slots, &mut stats);
            progress.set_position(stats.latencies.len());
        }
        started
    });
    // What the threads have counted last.
    supervise(config, &slots, &mut stats);
    started.map(|()| stats).context(Call::Thread)
}

/// Whether there is room for so many threads. Where one can be created and
/// then gets no stack for its signals, Rust's runtime ends the process; so we
/// ask before the first, by an allocation that is given back untouched.
fn check_memory(workers: usize) -> io::Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(workers * (STACK_SIZE + MAPPED_BESIDE))
        .map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// Checks all deadlines, and adds up what was counted.
fn supervise(config: &Config<'_>, slots: &[Slot], stats: &mut Stats) {
    let now = Instant::now();
    let is_cancelled = config.cancellation.is_cancelled();
    for slot in slots {
        stats.add(&slot.check(now, is_cancelled));
    }
}
