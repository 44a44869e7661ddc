//! Ctrl-C ends the run early, and what was measured so far still counts.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use nix::sys::signal::{SigSet, Signal};
use protocol::{Doing, Failure};
use threads::watch;

/// Signals that end a process unless it arranges otherwise, and that may come
/// through no doing of ours: timers survive `execve`, and a file that holds
/// the results may have a limit on its size. `man 2 setitimer`, `man 2 write`.
const HARMLESS: [Signal; 4] =
    [Signal::SIGALRM, Signal::SIGVTALRM, Signal::SIGPROF, Signal::SIGXFSZ];

/// Whether the run is to end early.
// ANCHOR: cancellation
#[derive(Debug)]
pub(crate) struct Cancellation {
    signal: threads::Signal,
    cancelled: AtomicBool,
}

impl Cancellation {
    /// From here on SIGINT or SIGTERM ends the run. No thread has to be woken:
    /// the main thread checks every few milliseconds.
    ///
    /// # Errors
    /// As [`watch`].
    pub(crate) fn on_signal() -> Result<Self, Failure> {
        // Before any other thread exists: threads inherit the mask.
        SigSet::from_iter(HARMLESS)
            .thread_block()
            .map_err(|e| Doing::Signals.failed(e))?;
        let signal = watch(|| ())?;
        Ok(Self { signal, cancelled: AtomicBool::new(false) })
    }

    /// Ends the run, for a reason other than a signal.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, SeqCst);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(SeqCst) || self.signal().is_some()
    }

    /// The signal that ended the run, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.signal.received()
    }
}
// ANCHOR_END: cancellation
