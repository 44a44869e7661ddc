//! Ctrl-C ends the run early, and what was measured so far still counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use blocking::reset_inherited;
use protocol::{Call, Result, ResultExt};
use threads::spawn_signal_thread;

const RUNNING: i32 = -1;
/// Cancelled, but by no signal.
const CANCELLED: i32 = 0;

/// Whether the run is to end early.
// ANCHOR: cancellation
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
        let state = Arc::new(AtomicI32::new(RUNNING));
        let shared = Arc::clone(&state);
        spawn_signal_thread(move |signal| shared.store(signal, SeqCst))?;
        Ok(Self(state))
    }

    /// Ends the run, for a reason other than a signal.
    pub(crate) fn cancel(&self) {
        let _ = self.0.compare_exchange(RUNNING, CANCELLED, SeqCst, SeqCst);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(SeqCst) != RUNNING
    }

    /// The signal that ended the run, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.0.load(SeqCst)).filter(|&signal| signal > CANCELLED)
    }
}
// ANCHOR_END: cancellation
