//! Signals reach one thread, as ordinary values.
//!
//! A signal sent to a process runs its handler in whichever thread the kernel
//! picks. So every thread blocks SIGINT and SIGTERM, and one thread takes them
//! with `sigwait`, a function that waits and returns the signal's number. There
//! is no handler any more, and so nothing that must be async-signal-safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::{self, Builder};

use nix::sys::signal::{SigSet, Signal as Number};
use protocol::{Doing, Failure};

const NONE: i32 = -1;

/// The signal that asked the process to stop, if one came.
#[derive(Clone, Debug)]
pub struct Signal(Arc<AtomicI32>);

impl Signal {
    /// The number of the signal.
    #[must_use]
    pub fn received(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|&number| number != NONE)
    }
}

/// Starts the thread that waits for SIGINT and SIGTERM, and calls `woken` after
/// the first. The second ends the process at once.
///
/// To be called before any other thread starts: a thread inherits which
/// signals its creator blocks. `man 3 pthread_sigmask`, `man 3 sigwait`.
///
/// # Errors
/// EAGAIN where no thread can be created.
// ANCHOR: watch
pub fn watch(woken: impl FnOnce() + Send + 'static) -> Result<Signal, Failure> {
    let mut stop = SigSet::empty();
    stop.add(Number::SIGINT);
    stop.add(Number::SIGTERM);
    stop.thread_block().map_err(|e| Doing::Signals.failed(e))?;

    let signal = Signal(Arc::new(AtomicI32::new(NONE)));
    let seen = signal.clone();
    Builder::new()
        .spawn(move || {
            if let Ok(first) = stop.wait() {
                seen.0.store(first as i32, Ordering::SeqCst);
                woken();
            }
            // The second does what it does to a program that never heard of
            // signals, as long as this thread is there to take it.
            let _ = stop.thread_unblock();
            loop {
                thread::park();
            }
        })
        .map_err(|e| Doing::Signals.failed(e))?;
    Ok(signal)
}
// ANCHOR_END: watch
