//! Whom an event is about: from a token to a connection.
//!
//! A client's token is the number of its descriptor. The kernel always gives
//! the lowest number that is free, so a vector indexed by it has no large gaps.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Instant;

use crate::connection::Connection;
use crate::poller::Told;

// ANCHOR: clients
/// A connection, and what the kernel was last told to wait for on it.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) told: Told,
}

/// The clients of the moment.
#[derive(Default)]
pub(crate) struct Clients {
    by_descriptor: Vec<Option<Client>>,
    count: usize,
}

impl Clients {
    /// Takes a new connection in and returns the number of its descriptor.
    pub(crate) fn insert(&mut self, socket: OwnedFd, now: Instant) -> RawFd {
        let fd = socket.as_raw_fd();
        let index = index(fd);
        if index >= self.by_descriptor.len() {
            self.by_descriptor.resize_with(index + 1, || None);
        }
        let connection = Connection::new(socket, now);
        let told = Told::nothing(index as u64);
        self.by_descriptor[index] = Some(Client { connection, told });
        self.count += 1;
        fd
    }

    /// The client with this descriptor. `None` is ordinary: an event may come
    /// for a connection that an earlier event of the same turn has ended.
    pub(crate) fn get_mut(&mut self, fd: RawFd) -> Option<&mut Client> {
        self.by_descriptor.get_mut(index(fd))?.as_mut()
    }

    /// Closes the client's connection, and says whether there was one.
    pub(crate) fn remove(&mut self, fd: RawFd) -> bool {
        let slot = self.by_descriptor.get_mut(index(fd));
        let found = slot.and_then(Option::take).is_some();
        self.count -= usize::from(found);
        found
    }
    // ANCHOR_END: clients

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The descriptors of all clients, as they are now.
    pub(crate) fn descriptors(&self) -> Vec<RawFd> {
        let clients = self.by_descriptor.iter().flatten();
        clients.map(|client| client.connection.descriptor()).collect()
    }
}

fn index(fd: RawFd) -> usize {
    // Descriptors are never negative; a number that is finds nobody.
    usize::try_from(fd).unwrap_or(usize::MAX)
}
