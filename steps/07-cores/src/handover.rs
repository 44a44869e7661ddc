//! `handover`: one loop accepts, and gives each client to another.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use epoll::Incoming;
use protocol::Result;

use crate::Loop;
use crate::shared::{Shared, WakeUp};

type Client = (OwnedFd, SocketAddr);

/// The loops that are given clients: to each a channel, its wake-up, and how
/// many clients it has or will find there.
#[derive(Default)]
pub(crate) struct Recipients(Vec<(Sender<Client>, WakeUp, Arc<AtomicUsize>)>);

impl Recipients {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn add_loop(&mut self, shared: &Arc<Shared>) -> Result<Loop> {
        let (sender, clients) = channel();
        let (arrived, stop) = (WakeUp::new()?, WakeUp::new()?);
        let (open, shared) =
            (Arc::new(AtomicUsize::new(0)), Arc::clone(shared));
        self.0.push((sender, arrived.clone(), Arc::clone(&open)));
        let inbox =
            Inbox { clients, arrived, open, stop: stop.clone(), shared };
        Ok((stop, Box::new(inbox)))
    }

    /// Gives `client` to the loop that has the fewest. Returns it where there
    /// is none.
    // ANCHOR: give
    pub(crate) fn give(&self, client: Client) -> Option<Client> {
        let least = self.0.iter().min_by_key(|(.., open)| open.load(SeqCst));
        let Some((clients, arrived, open)) = least else { return Some(client) };
        open.fetch_add(1, SeqCst);
        let sent = clients.send(client);
        arrived.wake(WakeUp::LOOK);
        sent.err().map(|lost| lost.0) // an error: that loop has ended
    }
    // ANCHOR_END: give
}

/// No more clients come: each loop finds its channel closed.
impl Drop for Recipients {
    fn drop(&mut self) {
        for (clients, arrived, _) in self.0.drain(..) {
            drop(clients);
            arrived.wake(WakeUp::LOOK);
        }
    }
}

/// A loop's end of its channel.
struct Inbox {
    clients: Receiver<Client>,
    arrived: WakeUp,
    open: Arc<AtomicUsize>,
    stop: WakeUp,
    shared: Arc<Shared>,
}

// ANCHOR: inbox
impl Incoming for Inbox {
    fn accept(&self) -> io::Result<Client> {
        self.clients.try_recv().map_err(|error| {
            if error == TryRecvError::Disconnected {
                // The acceptor has stopped, and this loop has all its clients.
                self.stop.wake(WakeUp::STOP);
            }
            ErrorKind::WouldBlock.into()
        })
    }

    /// The acceptor keeps the limit.
    fn has_room(&self, _: usize) -> bool {
        true
    }

    fn on_close(&self) {
        self.open.fetch_sub(1, SeqCst);
        self.shared.on_close();
    }
}
// ANCHOR_END: inbox

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}
