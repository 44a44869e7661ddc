//! Replies that the kernel has not taken yet.
//!
//! `send` takes what fits into the socket's send buffer, and that is full as
//! long as the peer does not read. A blocking server would wait; an event loop
//! keeps the rest and goes on with it when epoll reports room to write.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use protocol::Failure;

use crate::stream::try_send;

/// The unsent replies of one connection, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    unsent: VecDeque<u8>,
}

// ANCHOR: outbox
impl Outbox {
    /// Sends `replies` with one call, and keeps what the kernel does not take.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET: see [`try_send`].
    pub(crate) fn send(
        &mut self,
        socket: &OwnedFd,
        replies: &[u8],
    ) -> Result<(), Failure> {
        // What waits already goes first.
        let taken = if self.is_empty() && !replies.is_empty() {
            try_send(socket, replies)?
        } else {
            0
        };
        self.unsent.extend(&replies[taken..]);
        Ok(())
    }

    /// Sends what had to wait, as far as the kernel takes it, and says whether
    /// it took anything.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) fn flush(&mut self, socket: &OwnedFd) -> Result<bool, Failure> {
        let before = self.len();
        while !self.is_empty() {
            // A ring buffer lies in memory in up to two pieces.
            let (first, _) = self.unsent.as_slices();
            let taken = try_send(socket, first)?;
            if taken == 0 {
                break;
            }
            self.unsent.drain(..taken);
        }
        if self.is_empty() {
            // Gives the memory back: an idle connection has no buffers.
            self.unsent = VecDeque::new();
        }
        Ok(self.len() < before)
    }

    pub(crate) fn len(&self) -> usize {
        self.unsent.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unsent.is_empty()
    }
}
// ANCHOR_END: outbox
