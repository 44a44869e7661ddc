//! The listener, and whether to accept now.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use blocking::{Backoff, is_connection_error};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Error, Log};

use crate::operation::{Key, Operation, Output};
use crate::ring::Ring;

/// What comes of a cancellation: `man 3 io_uring_prep_cancel`.
const CANCELLATION: [Option<i32>; 3] =
    [Some(libc::ECANCELED), Some(libc::EALREADY), Some(libc::ENOENT)];

#[derive(Debug)]
pub(crate) struct Listener {
    socket: Rc<OwnedFd>,
    token: u32,
    max_connections: usize,
    /// Descriptors or memory had run out.
    pub(crate) backoff: Backoff,
    accept: Option<Key>,
    /// Accepted, and not served yet: the operation takes the whole queue, and
    /// by the time that it is cancelled there may be more than we want.
    accepted: VecDeque<OwnedFd>,
}

impl Listener {
    pub(crate) fn new(
        socket: OwnedFd,
        token: u32,
        max_connections: usize,
    ) -> Self {
        let (socket, accepted) = (Rc::new(socket), VecDeque::new());
        let (backoff, accept) = (Backoff::default(), None);
        Self { socket, token, max_connections, backoff, accept, accepted }
    }

    /// Takes note of a completion; `ended` says that it was the last.
    pub(crate) fn complete(
        &mut self,
        result: io::Result<Output>,
        ended: bool,
        log: &mut Log,
    ) {
        if ended {
            self.accept = None;
        }
        match result {
            Ok(Output::Accepted(socket)) => self.accepted.push_back(socket),
            Ok(_) => {}
            Err(error) if is_connection_error(&error) => {}
            // We have cancelled it, or could not just now.
            Err(error) if CANCELLATION.contains(&error.raw_os_error()) => {}
            Err(source) => {
                self.backoff.start(&Error { call: Call::Accept, source }, log);
            }
        }
    }

    /// The next client to serve, where `open` are being served.
    pub(crate) fn next(&mut self, open: usize) -> Option<OwnedFd> {
        if open >= self.max_connections {
            return None;
        }
        self.accepted.pop_front()
    }

    /// Accepts clients while there is room for them.
    pub(crate) fn advance(&mut self, open: usize, ring: &mut Ring) {
        let has_room = open + self.accepted.len() < self.max_connections
            && self.backoff.until().is_none();
        match self.accept {
            None if has_room => {
                let listener = Rc::clone(&self.socket);
                let accept = Operation::Accept { listener };
                self.accept = Some(ring.start(accept, self.token));
            }
            Some(key) if !has_room => ring.cancel(key),
            _ => {}
        }
    }
}

impl Drop for Listener {
    /// From here on a client that connects is refused. To close the descriptor
    /// would not do: the operation in flight holds it. Now that ends (EINVAL).
    fn drop(&mut self) {
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Read);
    }
}
