//! Waking a thread that waits in `poll`: the self-pipe.
//!
//! `poll` waits for several descriptors at once, but a thread that leaves and a
//! signal that arrives are not descriptors. A pipe makes them one: to ring is
//! to write a byte, and the waiting side finds the pipe readable. A ring that
//! comes before the wait is not lost: the byte is still there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{pipe, read, write};

/// A pipe that says only "look up".
pub(crate) struct Doorbell {
    listening_end: OwnedFd,
    ringing_end: OwnedFd,
}

impl Doorbell {
    /// # Errors
    /// EMFILE without two free descriptors. `man 2 pipe`.
    pub(crate) fn new() -> nix::Result<Self> {
        let (listening_end, ringing_end) = pipe()?;
        // Neither to look for a ring nor to ring may ever wait.
        for end in [&listening_end, &ringing_end] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { listening_end, ringing_end })
    }

    /// Wakes whoever waits, now or at the next wait.
    pub(crate) fn ring(&self) {
        // EAGAIN would say that the pipe is full of rings already.
        while write(&self.ringing_end, b"!") == Err(Errno::EINTR) {}
    }

    /// Waits for a ring, for `listener` to have a client, or for `patience` to
    /// end, whichever is first. Says whether it is the listener. `man 2 poll`.
    // ANCHOR: wait
    pub(crate) fn wait(
        &self,
        listener: Option<BorrowedFd<'_>>,
        patience: Option<Duration>,
    ) -> bool {
        let bell = self.listening_end.as_fd();
        let mut awaited: Vec<_> = [Some(bell), listener]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        // Rounded up: a timeout of 0 ms would not wait at all.
        let timeout = patience.map_or(PollTimeout::NONE, |duration| {
            PollTimeout::try_from(duration + Duration::from_millis(1))
                .unwrap_or(PollTimeout::MAX)
        });
        // An error (EINTR) is a wait that ended early: the caller looks anew.
        if poll(&mut awaited, timeout).is_err() {
            return false;
        }
        let ready = |fd: &PollFd<'_>| fd.any() == Some(true);
        if ready(&awaited[0]) {
            // However often it rang, one answer is enough.
            let _ = read(bell, &mut [0; 64]);
        }
        awaited.get(1).is_some_and(ready)
    }
    // ANCHOR_END: wait
}
