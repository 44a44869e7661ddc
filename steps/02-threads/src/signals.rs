//! Signals reach one thread, as ordinary values.
//!
//! A handler runs in whichever thread the kernel picks. So every thread blocks
//! SIGINT and SIGTERM, and one takes them with `sigwait`: there is no handler
//! any more, and so nothing that must be async-signal-safe.

use std::thread::{self, Builder};

use nix::sys::signal::{SigSet, Signal};
use protocol::{Call, Result, ResultExt};

/// Blocks SIGINT and SIGTERM in this thread and in those that it starts from
/// here on: they wait until they are taken. `man 3 pthread_sigmask`.
pub fn block_signals() -> Result<SigSet> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    signals.thread_block().context(Call::Signals)?;
    Ok(signals)
}

/// Starts the thread that waits for SIGINT and SIGTERM, and calls `on_signal`
/// with the number of the first. The second ends the process at once. Fails
/// where no thread can be created: EAGAIN. `man 3 sigwait`.
pub fn spawn_signal_thread(
    on_signal: impl FnOnce(i32) + Send + 'static,
) -> Result<()> {
    let signals = block_signals()?;
    let thread = Builder::new().spawn(move || {
        if let Ok(first) = signals.wait() {
            on_signal(first as i32);
        }
        // The second takes its default action, if this thread is there for it.
        let _ = signals.thread_unblock();
        loop {
            thread::park();
        }
    });
    thread.map(drop).context(Call::Signals)
}
