//! Where the loops that accept take their clients from.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use blocking::{accept_nonblocking, listen_on, local_address, stream_socket};
use epoll::{Incoming, Interest, Poller};
use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollFlags};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReusePort;
use protocol::{Call, Result, ResultExt};

use crate::handover::Recipients;
use crate::shared::Shared;

/// A client that connects wakes one of the loops, not all. `man 2 epoll_ctl`.
const EXCLUSIVE: EpollFlags = EpollFlags::EPOLLIN
    .union(EpollFlags::EPOLLET)
    .union(EpollFlags::EPOLLEXCLUSIVE);
/// Clients that are still taken from an accept queue when it is closed.
const LAST_ACCEPTS: usize = 256;

/// Another listener on the port of `first`, with a queue of its own.
/// `man 7 socket`, `SO_REUSEPORT`.
///
/// # Errors
/// As [`listen_on`].
// ANCHOR: another
pub(crate) fn another(first: &OwnedFd, backlog: i32) -> Result<OwnedFd> {
    let address = local_address(first)?;
    let listener = stream_socket(address)?;
    // For the first one not before its `bind`: two servers would share the
    // port, and neither of them would know.
    for socket in [first, &listener] {
        setsockopt(socket, ReusePort, &true).context(Call::SetSockOpt)?;
    }
    listen_on(&listener, address, backlog)?;
    Ok(listener)
}
// ANCHOR_END: another

/// An accept queue, whose clients count for the whole process.
pub(crate) struct Queue {
    pub(crate) listener: Arc<OwnedFd>,
    /// It is in the sets of all loops.
    pub(crate) exclusive: bool,
    pub(crate) shared: Arc<Shared>,
    /// Under `handover` this loop keeps no client.
    pub(crate) recipients: Recipients,
}

impl Incoming for Queue {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        if !self.shared.try_open() {
            // Another loop was faster: look again whether there is room.
            return Err(Errno::EINTR.into());
        }
        let accepted = accept_nonblocking(&self.listener);
        let client = accepted.inspect_err(|_| self.shared.on_close())?;
        // Given away: on to the next.
        self.recipients.give(client).ok_or(Errno::EINTR.into())
    }

    fn has_room(&self, _: usize) -> bool {
        self.shared.has_room()
    }

    fn on_close(&self) {
        self.shared.on_close();
    }

    fn register(&self, poller: &Poller, token: u64) -> Result<()> {
        match self.exclusive {
            true => {
                let event = EpollEvent::new(EXCLUSIVE, token);
                poller.epoll.add(self, event).context(Call::Epoll)
            }
            false => poller.register(self, token, Interest::READABLE),
        }
    }

    fn reregister(
        &self,
        poller: &Poller,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        if !self.exclusive {
            return poller.reregister(self, token, interest);
        }
        // Such an entry cannot be changed. ENOENT: it is not there.
        let _ = poller.epoll.delete(self);
        match interest.readable {
            true => self.register(poller, token),
            false => Ok(()),
        }
    }
}

/// A client in the queue of a listener that is closed gets a reset, and the
/// server does not hear of it. So it looks first.
// ANCHOR: drop
impl Drop for Queue {
    fn drop(&mut self) {
        for _ in 0..LAST_ACCEPTS {
            let Ok(client) = accept_nonblocking(&self.listener) else { return };
            let has_room = self.shared.try_open();
            if !has_room || self.recipients.give(client).is_some() {
                self.shared.left.fetch_add(1, SeqCst);
            }
        }
    }
}
// ANCHOR_END: drop

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
