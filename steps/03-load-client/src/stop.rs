//! Ctrl-C ends the run early, and what was measured so far still counts.
//!
//! As in step 02, SIGINT and SIGTERM are blocked in every thread, and one
//! thread takes them with `sigwait`. This time nobody waits in `poll`, so there
//! is no doorbell to ring: the main thread looks up every few milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use protocol::{Doing, Failure};

const NOT_ASKED: i32 = -1;
const NO_SIGNAL: i32 = 0;

/// Whether the run is to end early.
#[derive(Debug)]
pub(crate) struct Stop(AtomicI32);

impl Stop {
    pub(crate) fn new() -> Self {
        Self(AtomicI32::new(NOT_ASKED))
    }

    /// Ends the run, for a reason other than a signal.
    pub(crate) fn ask(&self) {
        self.0.store(NO_SIGNAL, SeqCst);
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(SeqCst) != NOT_ASKED
    }

    /// The signal that ended the run, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.0.load(SeqCst)).filter(|&signal| signal > NO_SIGNAL)
    }
}

/// From here on SIGINT or SIGTERM ends the run. To be called before any other
/// thread starts: a thread inherits which signals its creator blocks.
/// `man 3 pthread_sigmask`, `man 3 sigwait`.
///
/// # Errors
/// EAGAIN where no thread can be created.
// ANCHOR: watch
pub(crate) fn watch() -> Result<Arc<Stop>, Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().map_err(|e| Doing::Signals.failed(e))?;

    let stop = Arc::new(Stop::new());
    let seen = Arc::clone(&stop);
    let wait = move || {
        if let Ok(signal) = signals.wait() {
            seen.0.store(signal as i32, SeqCst);
        }
        // The second signal does what it does to a program that never heard of
        // signals: it ends the process at once.
        let _ = signals.thread_unblock();
        loop {
            thread::park();
        }
    };
    let thread = thread::Builder::new().spawn(wait);
    thread.map_err(|e| Doing::Signals.failed(e))?;
    Ok(stop)
}
// ANCHOR_END: watch
