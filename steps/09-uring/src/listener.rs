//! The listener, and whether to accept now.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use blocking::{Backoff, is_connection_error};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Error, Log};

use crate::operation::Kind;
use crate::ring::Ring;

#[derive(Debug)]
pub(crate) struct Listener {
    socket: Rc<OwnedFd>,
    max_connections: usize,
    /// Descriptors or memory had run out.
    pub(crate) backoff: Backoff,
    /// Accepted, and not served yet: the operation takes the whole queue, and
    /// by the time that it is cancelled there may be more than we want.
    accepted: VecDeque<OwnedFd>,
}

impl Listener {
    pub(crate) fn new(socket: OwnedFd, max_connections: usize) -> Self {
        let (socket, accepted) = (Rc::new(socket), VecDeque::new());
        let backoff = Backoff::default();
        Self { socket, max_connections, backoff, accepted }
    }

    /// Takes note of a client, or of why there is none.
    pub(crate) fn accepted(
        &mut self,
        result: io::Result<OwnedFd>,
        log: &mut Log,
    ) {
        match result {
            Ok(socket) => self.accepted.push_back(socket),
            // We have cancelled it.
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => {}
            Err(error) if is_connection_error(&error) => {}
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
    pub(crate) fn update(&mut self, open: usize, ring: &mut Ring) {
        if open + self.accepted.len() < self.max_connections
            && self.backoff.until().is_none()
        {
            ring.start(Kind::Accept, self.socket.clone(), Vec::new());
        } else {
            ring.cancel(self.socket.as_raw_fd(), Kind::Accept);
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
