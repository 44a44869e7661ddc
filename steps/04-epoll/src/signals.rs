//! A signal as one more descriptor to wait for: `signalfd`.
//!
//! The signals are blocked, so that no handler runs and no call is interrupted;
//! they wait in the kernel until they are read from a descriptor, which `epoll`
//! watches with all the others. `man 2 signalfd`.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Doing, Failure};

/// SIGINT and SIGTERM, to be read.
#[derive(Debug)]
pub struct Signals {
    blocked: SigSet,
    descriptor: SignalFd,
}

// ANCHOR: signals
impl Signals {
    /// From here on the two signals wait to be read.
    ///
    /// # Errors
    /// EMFILE without a free descriptor.
    pub fn new() -> Result<Self, Failure> {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGINT);
        blocked.add(Signal::SIGTERM);
        blocked.thread_block().map_err(|e| Doing::Signals.failed(e))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&blocked, flags)
            .map_err(|e| Doing::Signals.failed(e))?;
        Ok(Self { blocked, descriptor })
    }

    /// The number of the signal that has come. From then on another one ends
    /// the process at once, as it would by default.
    #[must_use]
    pub fn take(&self) -> Option<i32> {
        let info = loop {
            match self.descriptor.read_signal() {
                Err(Errno::EINTR) => {}
                result => break result.ok().flatten()?,
            }
        };
        let _ = self.blocked.thread_unblock();
        i32::try_from(info.ssi_signo).ok()
    }
}
// ANCHOR_END: signals

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
