//! The accept queue that a loop takes its clients from.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use blocking::{accept_nonblocking, listen_on, local_address, stream_socket};
use epoll::{Incoming, LISTENER, Poller, set_nonblocking};
use nix::sys::epoll::{EpollEvent, EpollFlags};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReusePort;
use protocol::{Call, Result, ResultExt};

use crate::shared::Shared;

/// A socket that listens, for one loop or for several.
pub(crate) struct Listener {
    socket: OwnedFd,
    pub(crate) shared: Arc<Shared>,
}

impl Listener {
    pub(crate) fn new(socket: OwnedFd, shared: &Arc<Shared>) -> Result<Self> {
        set_nonblocking(&socket)?;
        Ok(Self { socket, shared: Arc::clone(shared) })
    }

    /// One more on the same port: `man 7 socket`, `SO_REUSEPORT`.
    pub(crate) fn another(&self, backlog: i32) -> Result<Self> {
        let address = local_address(&self.socket)?;
        let socket = stream_socket(address)?;
        // For the first one not before its `bind`: two servers would share the
        // port, and neither of them would know.
        for socket in [&self.socket, &socket] {
            setsockopt(socket, ReusePort, &true).context(Call::SetSockOpt)?;
        }
        listen_on(&socket, address, backlog)?;
        Self::new(socket, &self.shared)
    }

    /// Puts it into the set of a loop: a client that connects wakes one of the
    /// loops, not all. `man 2 epoll_ctl`, `EPOLLEXCLUSIVE`.
    pub(crate) fn register(&self, poller: &Poller) -> Result<()> {
        let events = EpollFlags::EPOLLIN
            | EpollFlags::EPOLLET
            | EpollFlags::EPOLLEXCLUSIVE;
        let event = EpollEvent::new(events, LISTENER);
        poller.epoll.add(&self.socket, event).context(Call::Epoll)
    }
}

/// A client in the queue of a listener that is closed gets a reset, and the
/// server does not hear of it. So it looks first, though not without end.
impl Drop for Listener {
    fn drop(&mut self) {
        let accept = |_| accept_nonblocking(&self.socket).ok();
        self.shared.lock().left += (0..=u16::MAX).map_while(accept).count();
    }
}

/// Where a loop takes its clients from.
pub(crate) struct Queue {
    pub(crate) listener: Arc<Listener>,
    /// The loop's number.
    pub(crate) own: usize,
}

impl Incoming for Queue {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        let Listener { socket, shared } = &*self.listener;
        let client = match shared.count(self.own) {
            None => Err(ErrorKind::WouldBlock.into()),
            Some(state) => {
                let held = state.hands_over.then_some(state);
                let client = accept_nonblocking(socket);
                drop(held);
                client.inspect_err(|_| self.on_close())
            }
        };
        // What is not there now comes too late.
        client.map_err(|error| match shared.lock().is_stopping {
            true => ErrorKind::UnexpectedEof.into(),
            false => error,
        })
    }

    fn on_close(&self) {
        self.listener.shared.on_close(self.own);
    }
}

/// What is registered anew to look into the queue again, since an exclusive
/// entry cannot be changed.
impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.shared.wake_ups[self.own].as_fd()
    }
}

/// One loop that stops stops all.
impl Drop for Queue {
    fn drop(&mut self) {
        self.listener.shared.stop();
    }
}
