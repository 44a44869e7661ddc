//! Two rings that we share with the kernel: `io_uring`.
//!
//! We write what is to be done into one, the kernel writes what it has done
//! into the other, and one call, `io_uring_enter`, submits all that is new and
//! waits until something is completed. `man 7 io_uring`.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, OwnedFd};
use std::thread;
use std::time::Duration;

use io_uring::opcode::{AsyncCancel, AsyncCancel2};
use io_uring::squeue::{self, Flags};
use io_uring::types::CancelBuilder;
use io_uring::{IoUring, cqueue};
use protocol::{Call, Result, ResultExt};

use crate::buffers::{Buffers, Filled};
use crate::operation::{Completion, InFlight, Key, Operation, Output};

/// Entries of the ring of submissions; what does not fit waits for its turn.
const SUBMISSIONS: u32 = 1_024;
/// Entries of the ring of completions; the kernel keeps what does not fit.
const COMPLETIONS: u32 = 4_096;
/// A pause where the kernel has no memory to take anything on.
const PAUSE: Duration = Duration::from_millis(10);
/// What the key of a cancellation has beside that of its operation.
const CANCEL: u64 = 1 << 31;

/// What the kernel may read and write at any time.
#[derive(Debug)]
struct Lent {
    in_flight: InFlight,
    buffers: Buffers,
}

/// The rings, what they work on, and what is to be submitted.
// ANCHOR: ring
pub(crate) struct Ring {
    ring: IoUring,
    lent: ManuallyDrop<Lent>,
    pending: Vec<squeue::Entry>,
}

impl Ring {
    /// Sets up the rings and the buffers, for this thread alone.
    ///
    /// # Errors
    /// ENOSYS or EPERM where there is no `io_uring` or it is forbidden, EINVAL
    /// before Linux 6.1, ENOMEM, EMFILE. `man 2 io_uring_setup`.
    pub(crate) fn new() -> Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            // One thread submits, and nothing interrupts it: the kernel does
            // its part while we wait.
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .build(SUBMISSIONS)
            .context(Call::IoUring)?;
        let buffers = Buffers::new();
        // SAFETY: they are freed in `drop` alone, when nothing is in flight.
        #[expect(unsafe_code, reason = "the kernel keeps the address")]
        unsafe { buffers.register(&ring.submitter()) }
            .context(Call::IoUring)?;
        let lent = Lent { in_flight: InFlight::default(), buffers };
        let (lent, pending) = (ManuallyDrop::new(lent), Vec::new());
        Ok(Self { ring, lent, pending })
    }
    // ANCHOR_END: ring

    /// Has the kernel do `operation` from the next [`turn`](Self::turn) on. Its
    /// completions carry `token`.
    // ANCHOR: start
    pub(crate) fn start(&mut self, operation: Operation, token: u32) -> Key {
        let entry = operation.entry();
        let key = self.lent.in_flight.insert(operation, token);
        self.pending.push(entry.user_data(key.0));
        key
    }

    /// Asks for the end of an operation, which ends with ECANCELED. Where it
    /// cannot be cancelled just now, a completion with its token says EALREADY
    /// or, where it is completed, ENOENT.
    pub(crate) fn cancel(&mut self, key: Key) {
        if self.lent.in_flight.get(key).is_none() {
            return;
        }
        let entry = AsyncCancel::new(key.0).build();
        let entry = entry.user_data(key.0 | CANCEL).flags(Flags::SKIP_SUCCESS);
        self.pending.push(entry);
    }

    /// Submits what was started, waits (with `wait`) until something is
    /// completed, and appends what that was to `completions`.
    /// `man 2 io_uring_enter`.
    ///
    /// # Errors
    /// None for a correct program. EINTR (a signal; SIGSTOP and SIGCONT) is a
    /// wait without completions; EAGAIN and EBUSY are one with a pause.
    #[expect(unsafe_code, reason = "the kernel follows the entries' pointers")]
    pub(crate) fn turn(
        &mut self,
        wait: bool,
        completions: &mut Vec<Completion>,
    ) -> Result<()> {
        let mut queue = self.ring.submission();
        let room = queue.capacity() - queue.len();
        let count = room.min(self.pending.len());
        let fitting = self.pending.drain(..count);
        // SAFETY: what they point to belongs to an operation in `in_flight`,
        // which leaves it when the kernel has completed it.
        let _ = unsafe { queue.push_multiple(fitting.as_slice()) };
        drop((fitting, queue));
        // With more to submit there is no time to wait.
        let want = usize::from(wait && self.pending.is_empty());
        let result = self.ring.submit_and_wait(want);
        let lent = &mut self.lent;
        let done = self.ring.completion();
        completions.extend(done.filter_map(|done| lent.complete(&done)));
        match result.as_ref().map_err(io::Error::raw_os_error) {
            Err(Some(libc::EINTR)) => {}
            Err(Some(libc::EAGAIN | libc::EBUSY)) => {
                if wait && completions.is_empty() {
                    thread::sleep(PAUSE);
                }
            }
            _ => drop(result.context(Call::IoUring)?),
        }
        Ok(())
    }
    // ANCHOR_END: start

    /// The bytes in a buffer.
    pub(crate) fn bytes(&self, filled: &Filled) -> &[u8] {
        self.lent.buffers.bytes(filled)
    }

    /// Leaves a buffer to the kernel again.
    pub(crate) fn give_back(&mut self, filled: Filled) {
        self.lent.buffers.give_back(filled);
    }
}

impl Lent {
    /// What a completion says; `None` for that of a cancellation.
    fn complete(&mut self, done: &cqueue::Entry) -> Option<Completion> {
        let key = Key(done.user_data());
        if key.0 & CANCEL != 0 {
            let result = Err(io::Error::from_raw_os_error(-done.result()));
            let key = Key(key.0 & !CANCEL);
            return Some(Completion { key, result, ended: None });
        }
        let operation = self.in_flight.get(key)?;
        let id = cqueue::buffer_select(done.flags());
        let result = match (usize::try_from(done.result()), operation, id) {
            (Ok(len), _, Some(id)) => {
                Ok(Output::Received(Buffers::filled(id, len)))
            }
            (Ok(_), Operation::Accept { .. }, _) => {
                Ok(Output::Accepted(owned(done.result())))
            }
            (Ok(count), ..) => Ok(Output::Count(count)),
            (Err(_), _, id) => {
                let unused = id.map(|id| Buffers::filled(id, 0));
                unused.into_iter().for_each(|b| self.buffers.give_back(b));
                Err(io::Error::from_raw_os_error(-done.result()))
            }
        };
        let more = cqueue::more(done.flags());
        let ended = if more { None } else { self.in_flight.remove(key) };
        Some(Completion { key, result, ended })
    }
}

#[expect(unsafe_code, reason = "accept returns a number")]
fn owned(fd: i32) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor, for us alone.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

// ANCHOR: drop
impl Drop for Ring {
    /// Ends what is in flight before its memory is freed. To close the rings
    /// would end it too, but some time later.
    #[expect(unsafe_code, reason = "what could not be ended is not freed")]
    fn drop(&mut self) {
        let all = AsyncCancel2::new(CancelBuilder::any().all()).build();
        self.pending.push(all.user_data(CANCEL));
        let mut completions = Vec::new();
        while !self.lent.in_flight.is_empty() {
            if self.turn(true, &mut completions).is_err() {
                return; // it stays the kernel's, until the process ends
            }
            completions.clear();
        }
        // SAFETY: nothing is in flight, and it is dropped this once.
        unsafe { ManuallyDrop::drop(&mut self.lent) };
    }
}
// ANCHOR_END: drop
