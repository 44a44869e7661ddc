//! An operation, and all that the kernel works on meanwhile.
//!
//! A system call has done with its arguments when it returns. An operation has
//! not: between its submission and its completion the kernel reads the replies,
//! whatever becomes of the client. So replies are *moved* into the operation,
//! which stays in a table until it is completed. Whatever has the descriptor
//! stays with it: until it is submitted, its number must not be another's.

use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;

use epoll::Signals;
use io_uring::opcode::{AcceptMulti, PollAdd, RecvMulti, Send};
use io_uring::types::Fd;
use io_uring::{cqueue, squeue};
use nix::errno::Errno;

use crate::buffers::GROUP;
use crate::connection::Client;

/// What the kernel is asked to do. A clone is made of what goes on after a
/// completion (multishot), and shares what that owns.
#[derive(Clone)]
pub(crate) enum Operation {
    /// Accept every client that comes (multishot).
    Accept(#[expect(dead_code, reason = "keeps it open")] Rc<OwnedFd>),
    /// Wait until there is a signal to read.
    Poll(Rc<Signals>),
    /// Receive whatever comes into buffers of the ring (multishot).
    Receive(Client),
    /// Send as much as goes of these bytes.
    Send(Client, Vec<u8>),
}

impl Operation {
    /// The operation as the kernel reads it, on a descriptor that `self` keeps
    /// open. It points to the bytes on the heap, and so is valid as long as
    /// `self` is, wherever that moves.
    pub(crate) fn entry(&self, fd: Fd) -> squeue::Entry {
        match self {
            // Not SOCK_NONBLOCK: the kernel would say EAGAIN, not wait.
            Self::Accept(_) => {
                AcceptMulti::new(fd).flags(libc::SOCK_CLOEXEC).build()
            }
            Self::Poll(_) => PollAdd::new(fd, libc::POLLIN as u32).build(),
            Self::Receive(_) => RecvMulti::new(fd, GROUP).build(),
            Self::Send(_, bytes) => {
                let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                Send::new(fd, bytes.as_ptr(), len)
                    .flags(libc::MSG_NOSIGNAL)
                    .build()
            }
        }
    }
}

/// What the call would have returned.
pub(crate) fn result(done: &cqueue::Entry) -> nix::Result<usize> {
    usize::try_from(done.result()).map_err(|_| Errno::from_raw(-done.result()))
}

/// The socket that a completion of [`Operation::Accept`] brings.
#[expect(unsafe_code, reason = "accept returns a number")]
pub(crate) fn accepted(done: &cqueue::Entry) -> nix::Result<OwnedFd> {
    result(done).map(|_| {
        // SAFETY: the kernel has made this descriptor, for us alone.
        unsafe { OwnedFd::from_raw_fd(done.result()) }
    })
}
