//! An operation, and all that the kernel works on meanwhile.
//!
//! A system call has done with its arguments when it returns. An operation has
//! not: between its submission and its completion the kernel reads the replies
//! and counts on the descriptor, whatever becomes of the client. So they are
//! *moved* into the operation, which stays in a table until it is completed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use epoll::Signals;
use io_uring::opcode::{AcceptMulti, PollAdd, RecvMulti, Send, Timeout};
use io_uring::squeue::Entry;
use io_uring::types::{Fd, Timespec};

use crate::buffers::{Filled, GROUP};

/// What the kernel is asked to do.
// ANCHOR: operation
#[derive(Debug)]
pub(crate) enum Operation {
    /// Accept every client that comes (multishot).
    Accept { listener: Rc<OwnedFd> },
    /// Receive whatever comes into buffers of the ring (multishot): until it
    /// is cancelled or, without `wait`, until nothing more is there (EAGAIN).
    Receive { socket: Rc<OwnedFd>, wait: bool },
    /// Send as much of `replies` as goes.
    Send { socket: Rc<OwnedFd>, replies: Vec<u8> },
    /// Wait for a signal to read.
    Poll { signals: Rc<Signals> },
    /// Wait so long (ETIME). Boxed: a table that grows moves what is in it.
    Timeout { after: Box<Timespec> },
}

/// What an operation brought.
#[derive(Debug)]
pub(crate) enum Output {
    /// A client.
    Accepted(OwnedFd),
    /// Bytes.
    Received(Filled),
    /// The number of bytes sent; 0 from `Receive`: the peer's FIN.
    Count(usize),
}

impl Output {
    /// The number of bytes sent.
    pub(crate) fn count(self) -> usize {
        if let Self::Count(count) = self { count } else { 0 }
    }
}

/// What the kernel has done.
#[derive(Debug)]
pub(crate) struct Completion {
    /// That of the operation.
    pub(crate) key: Key,
    pub(crate) result: io::Result<Output>,
    /// The operation and all that is its own; `None` while more completions of
    /// it will come.
    pub(crate) ended: Option<Operation>,
}
// ANCHOR_END: operation

impl Operation {
    /// A timeout that ends in `after`.
    pub(crate) fn timeout(after: Duration) -> Self {
        Self::Timeout { after: Box::new(after.into()) }
    }

    /// The operation as the kernel reads it. It points to what `self` owns on
    /// the heap, and so is valid as long as `self` is, wherever that moves.
    // ANCHOR: entry
    pub(crate) fn entry(&self) -> Entry {
        let fd = |fd: &dyn AsFd| Fd(fd.as_fd().as_raw_fd());
        match self {
            Self::Accept { listener } => {
                // Not SOCK_NONBLOCK: the kernel would say EAGAIN, not wait.
                let flags = libc::SOCK_CLOEXEC;
                AcceptMulti::new(fd(listener)).flags(flags).build()
            }
            Self::Receive { socket, wait } => {
                let flags = if *wait { 0 } else { libc::MSG_DONTWAIT };
                RecvMulti::new(fd(socket), GROUP).flags(flags).build()
            }
            Self::Send { socket, replies } => {
                let len = u32::try_from(replies.len()).unwrap_or(u32::MAX);
                Send::new(fd(socket), replies.as_ptr(), len)
                    .flags(libc::MSG_NOSIGNAL)
                    .build()
            }
            Self::Poll { signals } => {
                PollAdd::new(fd(signals), libc::POLLIN as u32).build()
            }
            Self::Timeout { after } => Timeout::new(&raw const **after).build(),
        }
    }
    // ANCHOR_END: entry
}

/// Which operation of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    fn index(self) -> usize {
        self.0 as u32 as usize
    }

    /// What the operation was started with.
    pub(crate) fn token(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// The operations in flight: started, and not completed.
// ANCHOR: table
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    operations: Vec<Option<(Operation, u32)>>,
    free: Vec<u32>,
}

impl InFlight {
    /// Keeps `operation` until its completion. The key carries the token, too.
    pub(crate) fn insert(&mut self, operation: Operation, token: u32) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.operations.push(None);
            self.operations.len() as u32 - 1
        });
        self.operations[index as usize] = Some((operation, token));
        Key(u64::from(token) << 32 | u64::from(index))
    }

    /// The operation with this key.
    pub(crate) fn get(&self, key: Key) -> Option<&Operation> {
        let (operation, token) = self.operations.get(key.index())?.as_ref()?;
        // Another may be in its place by now.
        (*token == key.token()).then_some(operation)
    }

    /// Gives back what is completed.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Operation> {
        let (operation, _) = self.operations.get_mut(key.index())?.take()?;
        self.free.push(key.index() as u32);
        Some(operation)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.operations.len()
    }
}
// ANCHOR_END: table
