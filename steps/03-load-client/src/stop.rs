//! Ctrl-C ends the run early, and what was measured so far still counts.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use protocol::Failure;
use threads::{Signal, watch};

/// Whether the run is to end early.
// ANCHOR: stop
#[derive(Debug)]
pub(crate) struct Stop {
    signal: Signal,
    asked: AtomicBool,
}

impl Stop {
    /// From here on SIGINT or SIGTERM ends the run. There is nobody to wake:
    /// the main thread looks up every few milliseconds.
    ///
    /// # Errors
    /// As [`watch`].
    pub(crate) fn on_signal() -> Result<Self, Failure> {
        let signal = watch(|| ())?;
        Ok(Self { signal, asked: AtomicBool::new(false) })
    }

    /// Ends the run, for a reason other than a signal.
    pub(crate) fn ask(&self) {
        self.asked.store(true, SeqCst);
    }

    pub(crate) fn asked(&self) -> bool {
        self.asked.load(SeqCst) || self.signal().is_some()
    }

    /// The signal that ended the run, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.signal.received()
    }
}
// ANCHOR_END: stop
