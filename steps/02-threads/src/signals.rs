//! Signals reach one thread, as ordinary values.
//!
//! A signal sent to a process runs its handler in whichever thread the kernel
//! picks. So every thread blocks SIGINT and SIGTERM, and one thread takes them
//! with `sigwait`, a function that waits and returns the signal's number. There
//! is no handler any more, and so nothing that must be async-signal-safe.

use std::thread::{self, Builder};

use nix::sys::signal::{SigSet, Signal};
use protocol::{Call, Result, ResultExt};

/// Blocks SIGINT and SIGTERM: they wait until they are taken. To be called
/// before any thread is started, which inherits what its creator blocks.
/// `man 3 pthread_sigmask`.
///
/// # Errors
/// None on a correct system.
pub fn block_signals() -> Result<SigSet> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    signals.thread_block().context(Call::Signals)?;
    Ok(signals)
}

/// Starts the thread that waits for SIGINT and SIGTERM, and calls `on_signal`
/// with the number of the first. The second ends the process at once.
/// `man 3 sigwait`.
///
/// # Errors
/// EAGAIN where no thread can be created.
pub fn spawn_signal_thread(
    on_signal: impl FnOnce(i32) + Send + 'static,
) -> Result<()> {
    let signals = block_signals()?;
    let thread = Builder::new().spawn(move || {
        if let Ok(first) = signals.wait() {
            on_signal(first as i32);
        }
        // The second does what it does by default, as long as this thread is
        // there to take it.
        let _ = signals.thread_unblock();
        loop {
            thread::park();
        }
    });
    thread.map(drop).context(Call::Signals)
}
