//! The threads of a run, and the main thread that supervises them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::{self, Builder};
use std::time::Instant;

use blocking::stream_socket;
use indicatif::ProgressBar;
use nix::errno::Errno;
use protocol::{Call, ResultExt};

use crate::ErrorKind;
use crate::deadline::Slot;
use crate::request::{connect, drain, send_request};
use crate::run::{POLL_INTERVAL, Run};
use crate::stats::{Outcome, Stats, waited_for_core};

/// A worker needs little: see step 02.
const STACK_SIZE: usize = 128 * 1_024;
/// What a thread maps beside its stack: the stack for signals, a guard page
/// below each, and what it allocates.
const MAPPED_BESIDE: usize = 64 * 1_024;

/// Starts all threads of a run, waits for them, and adds up what they count.
/// Fails where a thread can't be created (EAGAIN), or where there is no memory
/// for all of them (ENOMEM). `man 3 pthread_create`.
pub(crate) fn run_workers(
    run: &Run<'_>,
    progress: &ProgressBar,
) -> protocol::Result<Stats> {
    let workers = run.options.workers();
    check_memory(workers as usize).context(Call::Thread)?;
    let slots: Vec<_> = (0..workers).map(|_| Slot::default()).collect();
    let mut stats = Stats::new();
    let started = thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut start = |(number, slot)| {
            let worker = Worker { run, slot, connection: None };
            let work = move || worker.make_requests(number);
            let builder = Builder::new().stack_size(STACK_SIZE);
            builder.spawn_scoped(scope, work).map(|new| threads.push(new))
        };
        let started = (0..).zip(&slots).try_for_each(&mut start);
        if started.is_err() {
            let _ = run.cancelled.set(None);
        }
        while threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(POLL_INTERVAL);
            supervise(run, &slots, &mut stats);
            progress.set_position(stats.latencies.len());
        }
        started
    });
    // What the threads have counted last.
    supervise(run, &slots, &mut stats);
    started.map(|()| stats).context(Call::Thread)
}

/// Whether there is room for so many threads. Where one can be created and
/// then gets no stack for its signals, Rust's runtime ends the process; so we
/// ask before the first, by an allocation that is given back untouched.
fn check_memory(workers: usize) -> io::Result<()> {
    Vec::<u8>::new()
        .try_reserve_exact(workers * (STACK_SIZE + MAPPED_BESIDE))
        .map_err(|_| Errno::ENOMEM.into())
}

/// Checks all deadlines, and adds up what was counted.
fn supervise(run: &Run<'_>, slots: &[Slot], stats: &mut Stats) {
    let now = Instant::now();
    let is_cancelled = run.is_cancelled();
    for slot in slots {
        stats.add(&slot.check(now, is_cancelled));
    }
}

/// One thread of a run.
struct Worker<'a> {
    run: &'a Run<'a>,
    slot: &'a Slot,
    /// The connection of the last request, where it is kept, and how many
    /// requests it has served.
    connection: Option<(Arc<OwnedFd>, u64)>,
}

impl Worker<'_> {
    /// Makes every request of worker `number`.
    fn make_requests(mut self, number: u64) {
        let run = self.run;
        let mut free = run.start;
        let mut requests = run.share(number).peekable();
        while let Some(request) = requests.next() {
            let is_last = requests.peek().is_none();
            let due = run.due(request);
            if let Some(due) = due {
                self.wait_until(due);
            }
            let now = Instant::now();
            let sent = (!run.is_cancelled()).then_some(now);
            if sent.is_none() && due.is_none_or(|due| due > now) {
                break;
            }
            let result = match sent {
                Some(now) => self.request(now + run.options.timeout, is_last),
                // Due, and no thread was free: it has waited all the same.
                None => Err(ErrorKind::ReplyTimedOut),
            };
            // Then the main thread has ended our wait, and not the server.
            let is_cut = result.is_err() && run.is_cancelled();
            let over = result.unwrap_or_else(|_| Instant::now());
            let outcome = Outcome {
                sent,
                over,
                latency: over - due.unwrap_or(now),
                // Neither due before nor free before: what is left is ours.
                late: due.zip(sent).map(|(due, sent)| sent - due.max(free)),
                error: result.err().filter(|_| !is_cut),
                is_cut,
            };
            self.slot.count(|batch| batch.outcomes.push(outcome));
            free = over;
        }
        self.close();
        self.slot.count(|batch| batch.waited_for_core = waited_for_core());
    }

    fn wait_until(&self, due: Instant) {
        while !self.run.is_cancelled() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(POLL_INTERVAL)); // a signal may come first
        }
    }

    /// One request, over the connection that was kept or a new one. Returns
    /// when the reply was there: that of the last is closed later, in order.
    fn request(
        &mut self,
        deadline: Instant,
        is_last: bool,
    ) -> Result<Instant, ErrorKind> {
        let server = self.run.options.address();
        let (socket, served) = match self.connection.take() {
            Some(kept) => kept,
            None => (Arc::new(stream_socket(server)?), 0),
        };
        self.slot.begin(&socket, deadline);
        let connected = match served {
            0 => connect(&socket, server),
            _ => Ok(()),
        };
        let timeout_kind = match connected {
            Ok(()) => ErrorKind::ReplyTimedOut,
            Err(_) => ErrorKind::ConnectTimedOut,
        };
        let replied = connected.and_then(|()| send_request(&socket));
        let over = Instant::now();
        // The main thread looks every 20 ms: a reply may come before that.
        let expired = self.slot.end() || over > deadline;
        // Only a connection that is in order is kept; any other is closed.
        let is_kept = self.run.options.keep_alive || is_last;
        if replied.is_ok() && is_kept && !expired {
            self.connection = Some((socket, served + 1));
        } else if replied == Err(ErrorKind::UnrequestedReply) {
            self.connection = Some((socket, served));
            self.close(); // the requests before it may have had such a reply
        }
        match replied {
            _ if expired => Err(timeout_kind),
            result => result.map(|()| over),
        }
    }

    /// Closes the connection that was kept, once it has ended in order.
    fn close(&mut self) {
        let Some((socket, served)) = self.connection.take() else { return };
        if !self.run.is_cancelled() {
            let deadline = Instant::now() + self.run.options.timeout;
            self.slot.begin(&socket, deadline);
            let unrequested = drain(&socket, served);
            self.slot.end();
            self.slot.count(|batch| batch.unrequested += unrequested);
        }
    }
}
