//! Signals reach one thread, as ordinary values.
//!
//! A signal sent to a process runs its handler in whichever thread the kernel
//! picks. So every thread blocks SIGINT and SIGTERM, and one thread takes them
//! with `sigwait`, a function that waits and returns the signal's number. There
//! is no handler any more, and so nothing that must be async-signal-safe.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::Builder;

use nix::sys::signal::{SigSet, Signal as Number};
use protocol::{Doing, Failure};

use crate::doorbell::Doorbell;

const NONE: i32 = -1;

/// The signal that asked the server to stop, if one came.
#[derive(Clone)]
pub(crate) struct Signal(Arc<AtomicI32>);

impl Signal {
    pub(crate) fn received(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|&number| number != NONE)
    }
}

/// Starts the thread that waits for SIGINT and SIGTERM. The first rings
/// `doorbell`; the second ends the process at once.
///
/// To be called before any other thread starts: a thread inherits which
/// signals its creator blocks. `man 3 pthread_sigmask`, `man 3 sigwait`.
///
/// # Errors
/// EAGAIN where no thread can be created.
// ANCHOR: watch
pub(crate) fn watch(doorbell: &Arc<Doorbell>) -> Result<Signal, Failure> {
    let mut stop = SigSet::empty();
    stop.add(Number::SIGINT);
    stop.add(Number::SIGTERM);
    stop.thread_block().map_err(|e| Doing::Signals.failed(e))?;

    let signal = Signal(Arc::new(AtomicI32::new(NONE)));
    let (seen, doorbell) = (signal.clone(), Arc::clone(doorbell));
    Builder::new()
        .spawn(move || {
            if let Ok(first) = stop.wait() {
                seen.0.store(first as i32, Ordering::SeqCst);
                doorbell.ring();
            }
            if let Ok(second) = stop.wait() {
                process::exit(128 + second as i32);
            }
        })
        .map_err(|e| Doing::Signals.failed(e))?;
    Ok(signal)
}
// ANCHOR_END: watch
