//! A signal as one more descriptor to wait for: `signalfd`.
//!
//! The signals are blocked, so that no handler runs and no call is interrupted;
//! they wait in the kernel until they are read from a descriptor, which `epoll`
//! watches with all the others. `man 2 signalfd`.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Call, Log, Message, Result, ResultExt};
use threads::block_signals;

/// SIGINT and SIGTERM, to be read.
#[derive(Debug)]
pub struct Signals {
    mask: SigSet,
    fd: SignalFd,
}

impl Signals {
    /// From here on the two signals wait to be read.
    pub fn new() -> Result<Self> {
        let mask = block_signals()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&mask, flags).context(Call::Signals)?;
        Ok(Self { mask, fd })
    }

    /// The number of the signal that has come. From then on another one ends
    /// the process at once, as it would by default.
    pub fn read(&self) -> Option<i32> {
        let info = loop {
            match self.fd.read_signal() {
                Err(Errno::EINTR) => {}
                result => break result.ok().flatten()?,
            }
        };
        let _ = self.mask.thread_unblock();
        i32::try_from(info.ssi_signo).ok()
    }

    /// Whether a signal has come, which is noted in `log`.
    pub fn is_requested(&self, log: &mut Log) -> bool {
        let Some(signal) = self.read() else { return false };
        log.notice(Message::ShuttingDown(signal));
        true
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
