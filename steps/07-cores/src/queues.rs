//! `reuseport` and `exclusive`: the kernel spreads the clients.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use blocking::{accept_nonblocking, listen_on, local_address, stream_socket};
use epoll::{Incoming, Interest, Poller};
use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReusePort;
use protocol::{Call, Result, ResultExt};

use crate::shared::Shared;

/// An accept queue, whose clients count for the whole process.
pub(crate) struct Queue {
    /// Under `exclusive` all loops have the same.
    listener: Arc<OwnedFd>,
    exclusive: bool,
    shared: Arc<Shared>,
}

impl Incoming for Queue {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        if !self.shared.try_open() {
            // Another loop was faster: look again whether there is room.
            return Err(Errno::EINTR.into());
        }
        let accepted = accept_nonblocking(&self.listener);
        accepted.inspect_err(|_| self.shared.on_close())
    }

    fn has_room(&self, _: usize) -> bool {
        self.shared.has_room()
    }

    fn on_close(&self) {
        self.shared.on_close();
    }

    fn register(&self, poller: &Poller, token: u64) -> Result<()> {
        match self.exclusive {
            true => poller.register_exclusive(&self.listener, token),
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
        let _ = poller.deregister(self);
        match interest.readable {
            true => poller.register_exclusive(self, token),
            false => Ok(()),
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// A listener for each loop, on the port of `first`. `man 7 socket`,
/// `SO_REUSEPORT`.
///
/// # Errors
/// As [`listen_on`].
pub(crate) fn reuseport(
    first: OwnedFd,
    backlog: i32,
    shared: &Arc<Shared>,
) -> Result<Vec<Box<dyn Incoming>>> {
    // Not before its `bind`: two servers would share the port, and neither of
    // them would know.
    setsockopt(&first, ReusePort, &true).context(Call::SetSockOpt)?;
    let address = local_address(&first)?;
    let mut queues = vec![Queue::boxed(Arc::new(first), false, shared)];
    while queues.len() < shared.loops.len() {
        let listener = stream_socket(address)?;
        setsockopt(&listener, ReusePort, &true).context(Call::SetSockOpt)?;
        listen_on(&listener, address, backlog)?;
        queues.push(Queue::boxed(Arc::new(listener), false, shared));
    }
    Ok(queues)
}

/// The same listener for each loop.
pub(crate) fn exclusive(
    listener: OwnedFd,
    shared: &Arc<Shared>,
) -> Vec<Box<dyn Incoming>> {
    let listener = Arc::new(listener);
    let queue = |_| Queue::boxed(Arc::clone(&listener), true, shared);
    shared.loops.iter().map(queue).collect()
}

impl Queue {
    fn boxed(
        listener: Arc<OwnedFd>,
        exclusive: bool,
        shared: &Arc<Shared>,
    ) -> Box<dyn Incoming> {
        Box::new(Self { listener, exclusive, shared: Arc::clone(shared) })
    }
}
