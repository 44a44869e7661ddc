//! The listener, and whether to accept now.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use blocking::{Backoff, is_connection_error};
use nix::errno::Errno;
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Error, Log};
use threads::connection_limit;

use crate::operation::Operation;
use crate::ring::Ring;

pub(crate) struct Listener {
    socket: Rc<OwnedFd>,
    max_connections: usize,
    /// Descriptors or memory had run out.
    pub(crate) backoff: Backoff,
    /// The number of the accept in flight.
    accepting: Option<usize>,
    /// Accepted, and not served yet: the operation takes the whole queue, and
    /// by the time that it is cancelled there may be more than we want.
    accepted: VecDeque<OwnedFd>,
}

impl Listener {
    pub(crate) fn new(socket: OwnedFd, max: Option<usize>) -> Self {
        Self {
            socket: Rc::new(socket),
            max_connections: connection_limit(max),
            backoff: Backoff::default(),
            accepting: None,
            accepted: VecDeque::new(),
        }
    }

    /// Takes a client, or why there is none. `is_last` says that the accept has
    /// ended.
    pub(crate) fn accepted(
        &mut self,
        result: nix::Result<OwnedFd>,
        is_last: bool,
        log: &mut Log,
    ) {
        if is_last {
            self.accepting = None; // it is no longer in flight
        }
        match result {
            Ok(socket) => self.accepted.push_back(socket),
            // We have cancelled it.
            Err(Errno::ECANCELED) => {}
            // EMFILE, where it has taken more than there is room for.
            Err(_) if !self.accepted.is_empty() => {}
            Err(errno) if is_connection_error(&errno.into()) => {}
            Err(errno) => {
                let error = Error { call: Call::Accept, source: errno.into() };
                self.backoff.start(&error, log);
            }
        }
    }

    /// The next client to serve, where `open` are being served. When there is
    /// none, more are accepted as long as there is room for them.
    pub(crate) fn next(
        &mut self,
        open: usize,
        now: Instant,
        ring: &mut Ring,
    ) -> Option<OwnedFd> {
        let has_room = open < self.max_connections;
        if has_room && let Some(socket) = self.accepted.pop_front() {
            return Some(socket);
        }
        let wanted = has_room && self.backoff.until(now).is_none();
        match (self.accepting, wanted) {
            (None, true) => {
                let accept = Operation::Accept(Rc::clone(&self.socket));
                self.accepting = Some(ring.start(&self.socket, accept));
            }
            (Some(number), false) => ring.cancel(number),
            _ => {}
        }
        None
    }
}

impl Drop for Listener {
    /// From here on a client that connects is refused. To close the descriptor
    /// would not do: the operation in flight holds it. Now that ends (EINVAL).
    fn drop(&mut self) {
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Read);
    }
}
