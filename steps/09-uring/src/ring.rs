//! Two rings that we share with the kernel: `io_uring`.
//!
//! We write what is to be done into one, the kernel writes what it has done
//! into the other, and one call, `io_uring_enter`, submits all that is new and
//! waits until something is completed. `man 7 io_uring`.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use io_uring::opcode::{AsyncCancel, AsyncCancel2, Close};
use io_uring::squeue::{self, Flags};
use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue};
use protocol::{Call, Error, Result, ResultExt};

use crate::buffers::{Buffers, Filled};
use crate::operation::{Completion, Kind, Operation, slot};
use crate::table::Table;

/// Entries of the ring of submissions; what does not fit waits for its turn.
const SUBMISSIONS: u32 = 1_024;
/// Entries of the ring of completions; the kernel keeps what does not fit.
const COMPLETIONS: u32 = 4_096;
/// A pause where the kernel has no memory to take anything on.
const PAUSE: Duration = Duration::from_millis(10);
/// Marks what is in no slot: a cancellation (of the operation in the slot that
/// follows), or a close.
const NO_OPERATION: u64 = 1 << 63;

/// What the kernel may read and write at any time.
struct Lent {
    in_flight: Table<Operation>,
    buffers: Buffers,
}

/// The rings, what they work on, and what is to be submitted.
// ANCHOR: ring
pub(crate) struct Ring {
    ring: IoUring,
    lent: ManuallyDrop<Lent>,
    pending: Vec<squeue::Entry>,
    /// How long to wait for more than one completion, in microseconds.
    min_wait: Option<u32>,
}

impl Ring {
    /// Sets up the rings and the buffers, for this thread alone. `min_wait` is
    /// how long a [`turn`](Self::turn) waits for a batch, in microseconds.
    ///
    /// # Errors
    /// ENOSYS or EPERM where there is no `io_uring` or it is forbidden, EINVAL
    /// before Linux 6.1, ENOMEM, EMFILE. `man 2 io_uring_setup`. Unsupported
    /// where `min_wait` is asked for before Linux 6.12.
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
        let buffers = Buffers::new();
        // SAFETY: they are freed in `drop` alone, when nothing is in flight.
        #[expect(unsafe_code, reason = "the kernel keeps the address")]
        unsafe { buffers.register(&ring.submitter()) }
            .context(Call::IoUring)?;
        let lent = ManuallyDrop::new(Lent { in_flight: Table::new(), buffers });
        Ok(Self { ring, lent, pending: Vec::new(), min_wait })
    }
    // ANCHOR_END: ring

    /// Has the kernel work on `file` from the next [`turn`](Self::turn) on.
    /// Where that is in flight already, nothing happens.
    // ANCHOR: start
    pub(crate) fn start(
        &mut self,
        kind: Kind,
        file: Rc<dyn AsFd>,
        bytes: Vec<u8>,
    ) {
        let operation = Operation { kind, file, bytes, is_cancelled: false };
        let slot = slot(operation.fd(), kind);
        if self.lent.in_flight.get_mut(slot).is_none() {
            self.pending.push(operation.entry().user_data(slot as u64));
            self.lent.in_flight.insert(slot, operation);
        }
    }
    // ANCHOR_END: start

    // ANCHOR: cancel
    /// Asks for the end of an operation, which comes with ECANCELED.
    pub(crate) fn cancel(&mut self, fd: RawFd, kind: Kind) {
        let slot = slot(fd, kind);
        match self.lent.in_flight.get_mut(slot) {
            Some(operation) if !operation.is_cancelled => {
                operation.is_cancelled = true;
                self.push_cancel(slot as u64);
            }
            _ => {}
        }
    }

    fn push_cancel(&mut self, slot: u64) {
        let entry =
            AsyncCancel::new(slot).build().user_data(NO_OPERATION | slot);
        self.pending.push(entry.flags(Flags::SKIP_SUCCESS));
    }
    // ANCHOR_END: cancel

    // ANCHOR: close
    /// Ends what is in flight, and closes the descriptor: now, or when that has
    /// ended. `man 2 close`.
    pub(crate) fn close(&mut self, socket: Rc<OwnedFd>) {
        self.cancel(socket.as_raw_fd(), Kind::Receive);
        self.cancel(socket.as_raw_fd(), Kind::Send);
        if let Some(socket) = Rc::into_inner(socket) {
            let entry = Close::new(Fd(socket.into_raw_fd())).build();
            let entry = entry.user_data(NO_OPERATION | u64::MAX);
            self.pending.push(entry.flags(Flags::SKIP_SUCCESS));
        }
    }
    // ANCHOR_END: close

    // ANCHOR: turn
    /// Submits what was started, waits until something is completed or
    /// `timeout` is over (`None`: never), and returns what was completed, for
    /// [`complete`](Self::complete). Up to the `min_wait` of this ring it waits
    /// for a batch of so many. `man 2 io_uring_enter`.
    ///
    /// # Errors
    /// None for a correct program. EINTR (a signal; SIGSTOP and SIGCONT) is a
    /// wait without completions; EAGAIN and EBUSY are one with a pause.
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
    // ANCHOR_END: turn

    // ANCHOR: complete
    /// What a completion says, if it is one of an operation. The last one of an
    /// operation gives back what that owned.
    #[expect(unsafe_code, reason = "accept returns a number")]
    pub(crate) fn complete(
        &mut self,
        done: &cqueue::Entry,
    ) -> Option<Completion> {
        let slot = done.user_data() & !NO_OPERATION;
        let operation = self.lent.in_flight.get_mut(slot as usize)?;
        if done.user_data() != slot {
            // It was at work, and could not be cancelled just now.
            if operation.is_cancelled {
                self.push_cancel(slot);
            }
            return None;
        }
        let (kind, fd) = (operation.kind, operation.fd() as usize);
        let mut bytes = Vec::new();
        if !cqueue::more(done.flags()) {
            let ended = self.lent.in_flight.remove(slot as usize)?;
            bytes = ended.bytes;
        }
        let result = usize::try_from(done.result())
            .map_err(|_| io::Error::from_raw_os_error(-done.result()));
        Some(match kind {
            Kind::Accept => Completion::Accepted(result.map(|_| {
                // SAFETY: the kernel has made this descriptor, for us alone.
                unsafe { OwnedFd::from_raw_fd(done.result()) }
            })),
            Kind::Poll => Completion::Readable,
            Kind::Receive => {
                let filled = cqueue::buffer_select(done.flags()).map(|id| {
                    Buffers::filled(id, *result.as_ref().unwrap_or(&0))
                });
                Completion::Received(fd, result, filled)
            }
            Kind::Send => Completion::Sent(fd, result, bytes),
        })
    }
    // ANCHOR_END: complete

    /// The bytes in a buffer.
    pub(crate) fn bytes(&self, filled: &Filled) -> &[u8] {
        self.lent.buffers.bytes(filled)
    }

    /// Leaves a buffer to the kernel again.
    pub(crate) fn give_back(&mut self, filled: Filled) {
        self.lent.buffers.give_back(filled);
    }
}

// ANCHOR: drop
impl Drop for Ring {
    /// Ends what is in flight before its memory is freed. To close the rings
    /// would end it too, but some time later.
    #[expect(unsafe_code, reason = "what could not be ended is not freed")]
    fn drop(&mut self) {
        let all = AsyncCancel2::new(CancelBuilder::any().all()).build();
        self.pending.push(all.user_data(NO_OPERATION | u64::MAX));
        while self.lent.in_flight.len() > 0 {
            let Ok(completions) = self.turn(None, 1) else {
                return; // it stays the kernel's, until the process ends
            };
            for done in completions {
                self.complete(&done);
            }
        }
        // SAFETY: nothing is in flight, and it is dropped this once.
        unsafe { ManuallyDrop::drop(&mut self.lent) };
    }
}
// ANCHOR_END: drop
