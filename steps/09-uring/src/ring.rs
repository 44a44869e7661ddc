//! Two rings that we share with the kernel: `io_uring`.
//!
//! We write what is to be done into one, the kernel writes what it has done
//! into the other, and one call, `io_uring_enter`, submits all that is new and
//! waits until something is completed. `man 7 io_uring`.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use io_uring::opcode::AsyncCancel;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, squeue};
use protocol::{Call, Error, Result, ResultExt};
use slab::Slab;

use crate::buffers::Buffers;
use crate::connection::Client;
use crate::operation::Operation;

/// Entries of the ring of submissions; what does not fit waits for its turn.
const SUBMISSIONS: u32 = 1_024;
/// Entries of the ring of completions; the kernel keeps what does not fit.
const COMPLETIONS: u32 = 4_096;
/// A pause where the kernel has no memory to take anything on.
const PAUSE: Duration = Duration::from_millis(10);
/// The number of no operation: whether a cancellation was in time shows in the
/// completion of what was cancelled.
const CANCELLATION: u64 = u64::MAX;

/// The rings, what they work on, and what is to be submitted.
pub(crate) struct Ring {
    ring: IoUring,
    /// By the number that names them. It is emptied by completions alone, and
    /// never dropped: to close the rings ends what is in flight, but some time
    /// later.
    in_flight: ManuallyDrop<Slab<Operation>>,
    pub(crate) buffers: Buffers,
    pending: Vec<squeue::Entry>,
    /// How long to wait for more than one completion, in microseconds.
    min_wait: Option<u32>,
}

impl Ring {
    /// Sets up the rings and the buffers, for this thread alone. Fails where
    /// there is no `io_uring` (ENOSYS) or it is forbidden (EPERM), before Linux
    /// 6.1 (EINVAL), with `min_wait` 6.12, and where too little memory may be
    /// locked for it (ENOMEM: RLIMIT_MEMLOCK). `man 2 io_uring_setup`.
    pub(crate) fn new(min_wait: Option<u32>) -> Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            // One thread submits, and nothing interrupts it: the kernel does
            // its part while we wait.
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(SUBMISSIONS)
            .context(Call::IoUring)?;
        if min_wait.is_some() && !ring.params().is_feature_min_timeout() {
            let source = io::Error::other("--min-wait needs Linux 6.12");
            return Err(Error { call: Call::IoUring, source });
        }
        let buffers = Buffers::new(&ring.submitter()).context(Call::IoUring)?;
        let in_flight = ManuallyDrop::new(Slab::new());
        Ok(Self { ring, in_flight, buffers, pending: Vec::new(), min_wait })
    }

    /// Has the kernel work on `file` from the next [`turn`](Self::turn) on.
    /// Returns the number of the operation, which keeps `file` open.
    pub(crate) fn start(
        &mut self,
        file: &impl AsFd,
        operation: Operation,
    ) -> usize {
        let entry = operation.entry(Fd(file.as_fd().as_raw_fd()));
        let number = self.in_flight.insert(operation);
        self.pending.push(entry.user_data(number as u64));
        number
    }

    /// Asks for the end of an operation, which comes with ECANCELED.
    pub(crate) fn cancel(&mut self, number: usize) {
        let entry = AsyncCancel::new(number as u64).build();
        self.pending.push(entry.user_data(CANCELLATION));
    }

    /// Submits what was started, waits until something is completed or
    /// `timeout` is over (`None`: never), and returns what was completed, for
    /// [`complete`](Self::complete). Up to the `min_wait` of this ring it waits
    /// for a batch of so many. EINTR (a signal; SIGSTOP and SIGCONT) is a wait
    /// without completions, EAGAIN and EBUSY are one with a pause. The others
    /// are a wrong program's, or a completion is lost for want of memory (EBADR).
    /// `man 2 io_uring_enter`.
    #[expect(unsafe_code, reason = "the kernel follows the entries' pointers")]
    pub(crate) fn turn(
        &mut self,
        timeout: Option<Duration>,
        batch: usize,
    ) -> Result<Vec<cqueue::Entry>> {
        let mut queue = self.ring.submission();
        let room = queue.capacity() - queue.len();
        let count = room.min(self.pending.len());
        let fitting = self.pending.drain(..count);
        // SAFETY: what they point to belongs to an operation in `in_flight`,
        // which leaves it when the kernel has completed it.
        let _ = unsafe { queue.push_multiple(fitting.as_slice()) };
        drop((fitting, queue));
        // With more to submit there is no time to wait.
        let mut want = usize::from(self.pending.is_empty());
        let timeout = timeout.map(Timespec::from);
        let mut args = SubmitArgs::new();
        if let (Some(min_wait), 2.., 1) = (self.min_wait, batch, want) {
            args = args.min_wait_usec(min_wait);
            // What is submitted is completed at once, nearly always.
            want = count + batch;
        }
        let args = timeout.iter().fold(args, |args, t| args.timespec(t));
        let result = self.ring.submitter().submit_with_args(want, &args);
        match result.as_ref().map_err(io::Error::raw_os_error) {
            Ok(_) | Err(Some(libc::EINTR | libc::ETIME)) => {}
            Err(Some(libc::EAGAIN | libc::EBUSY)) => thread::sleep(PAUSE),
            Err(_) => drop(result.context(Call::IoUring)?),
        }
        Ok(self.ring.completion().collect())
    }

    /// The operation that a completion is about. The last completion gives back
    /// what it owned.
    pub(crate) fn complete(
        &mut self,
        done: &cqueue::Entry,
    ) -> Option<Operation> {
        let number = done.user_data() as usize;
        if cqueue::more(done.flags()) {
            return self.in_flight.get(number).cloned();
        }
        self.in_flight.try_remove(number)
    }

    /// All that have something in flight; one with two operations, twice.
    pub(crate) fn clients(&self) -> Vec<Client> {
        let client = |(_, operation): (_, &Operation)| match operation {
            Operation::Receive(client) | Operation::Send(client, _) => {
                Some(Rc::clone(client))
            }
            Operation::Accept(_) | Operation::Poll(_) => None,
        };
        self.in_flight.iter().filter_map(client).collect()
    }
}
