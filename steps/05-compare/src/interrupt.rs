//! Ctrl-C as one more descriptor to wait for, as in step 04.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Doing, Failure};

/// SIGINT and SIGTERM, to be read instead of to be killed by.
#[derive(Debug)]
pub(crate) struct Interrupt {
    blocked: SigSet,
    descriptor: SignalFd,
}

impl Interrupt {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGINT);
        blocked.add(Signal::SIGTERM);
        blocked.thread_block().map_err(|e| Doing::Signals.failed(e))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&blocked, flags)
            .map_err(|e| Doing::Signals.failed(e))?;
        Ok(Self { blocked, descriptor })
    }

    /// Whether a signal has come. From then on another one ends the process
    /// at once, as it would by default.
    pub(crate) fn came(&self) -> bool {
        let came = matches!(self.descriptor.read_signal(), Ok(Some(_)));
        if came {
            let _ = self.blocked.thread_unblock();
        }
        came
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
