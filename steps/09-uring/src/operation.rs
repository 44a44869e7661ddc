//! An operation, and all that the kernel works on meanwhile.
//!
//! A system call has done with its arguments when it returns. An operation has
//! not: between its submission and its completion the kernel reads the replies
//! and counts on the descriptor, whatever becomes of the client. So both are
//! *moved* into the operation, which stays in a table until it is completed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use io_uring::opcode::{AcceptMulti, PollAdd, RecvMulti, Send};
use io_uring::squeue::Entry;
use io_uring::types::Fd;

use crate::buffers::{Filled, GROUP};

/// What the kernel is asked to do with a descriptor.
// ANCHOR: operation
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Accept every client that comes (multishot).
    Accept,
    /// Wait until there is something to read.
    Poll,
    /// Receive whatever comes into buffers of the ring (multishot).
    Receive,
    /// Send as much as goes.
    Send,
}

/// An operation in flight.
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    /// Keeps the descriptor open.
    pub(crate) file: Rc<dyn AsFd>,
    /// The bytes to send.
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_cancelled: bool,
}

/// What the kernel has done.
#[derive(Debug)]
pub(crate) enum Completion {
    /// A client, or why there is none.
    Accepted(io::Result<OwnedFd>),
    /// A descriptor can be read.
    Readable,
    /// On this descriptor, so many bytes (0: the peer's FIN), and the buffer that has them.
    Received(usize, io::Result<usize>, Option<Filled>),
    /// How many of these bytes were sent.
    Sent(usize, io::Result<usize>, Vec<u8>),
}
// ANCHOR_END: operation

/// By which its completions name an operation, in their 64 bits of `user_data`:
/// a descriptor has at most one operation in each direction.
pub(crate) fn slot(fd: RawFd, kind: Kind) -> usize {
    fd as usize * 2 + usize::from(kind == Kind::Send)
}

impl Operation {
    pub(crate) fn fd(&self) -> RawFd {
        self.file.as_fd().as_raw_fd()
    }

    /// The operation as the kernel reads it. It points to the bytes on the
    /// heap, and so is valid as long as `self` is, wherever that moves.
    // ANCHOR: entry
    pub(crate) fn entry(&self) -> Entry {
        let fd = Fd(self.fd());
        match self.kind {
            // Not SOCK_NONBLOCK: the kernel would say EAGAIN, not wait.
            Kind::Accept => {
                AcceptMulti::new(fd).flags(libc::SOCK_CLOEXEC).build()
            }
            Kind::Poll => PollAdd::new(fd, libc::POLLIN as u32).build(),
            Kind::Receive => RecvMulti::new(fd, GROUP).build(),
            Kind::Send => {
                let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
                Send::new(fd, self.bytes.as_ptr(), len)
                    .flags(libc::MSG_NOSIGNAL)
                    .build()
            }
        }
    }
    // ANCHOR_END: entry
}
