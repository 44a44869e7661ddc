//! Ctrl-C ends the run early, and what was measured so far still counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use blocking::reset_inherited;
use protocol::{Call, Result, ResultExt};
use threads::spawn_signal_thread;

/// Whether the run is to end early: 0, or the signal that came.
#[derive(Debug)]
pub(crate) struct Cancellation(Arc<AtomicI32>);

impl Cancellation {
    /// From here on SIGINT or SIGTERM ends the run. No thread has to be woken:
    /// the main thread checks every few milliseconds.
    ///
    /// # Errors
    /// As [`spawn_signal_thread`].
    pub(crate) fn on_signal() -> Result<Self> {
        // A timer of the parent would end the run: timers survive `execve`.
        reset_inherited().context(Call::Signals)?;
        let state = Arc::new(AtomicI32::new(0));
        let shared = Arc::clone(&state);
        spawn_signal_thread(move |signal| shared.store(signal, SeqCst))?;
        Ok(Self(state))
    }

    /// Ends the run, for a reason other than a signal.
    pub(crate) fn cancel(&self) {
        self.0.store(-1, SeqCst);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(SeqCst) != 0
    }

    /// The signal that ended the run, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.0.load(SeqCst)).filter(|&signal| signal > 0)
    }
}
