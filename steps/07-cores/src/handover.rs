//! `handover`: one thread accepts, and picks a loop for each client.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use blocking::{Backoff, accept_nonblocking, is_connection_error};
use epoll::{Incoming, Interest, Poller, Trigger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Error, Log, Result, ResultExt};

use crate::shared::{Loop, Mailbox, Shared};

/// Clients that are still taken from the accept queue at shutdown.
const LAST_ACCEPTS: usize = 256;

/// A loop's end of the handover.
struct Inbox(Loop);

pub(crate) fn inboxes(shared: &Arc<Shared>) -> Vec<Box<dyn Incoming>> {
    let inbox = |number| -> Box<dyn Incoming> {
        Box::new(Inbox(Loop { shared: Arc::clone(shared), number }))
    };
    (0..shared.loops.len()).map(inbox).collect()
}

impl Incoming for Inbox {
    fn accept(&self) -> io::Result<(OwnedFd, SocketAddr)> {
        let client = self.0.mailbox().clients().pop_front();
        client.ok_or_else(|| ErrorKind::WouldBlock.into())
    }

    /// The acceptor keeps the limit.
    fn has_room(&self, _: usize) -> bool {
        true
    }

    fn on_close(&self) {
        self.0.mailbox().open.fetch_sub(1, SeqCst);
        self.0.shared.on_close();
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.mailbox().arrived.as_fd()
    }
}

/// The thread's end.
pub(crate) struct Acceptor {
    poller: Poller,
    listener: OwnedFd,
    shared: Arc<Shared>,
    backoff: Backoff,
}

impl Acceptor {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub(crate) fn new(listener: OwnedFd, shared: &Arc<Shared>) -> Result<Self> {
        fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .context(Call::SetSockOpt)?;
        let poller = Poller::new(Trigger::Edge)?;
        poller.register(&listener, 0, Interest::READABLE)?;
        poller.register(&shared.acceptor, 1, Interest::READABLE)?;
        let shared = Arc::clone(shared);
        Ok(Self { poller, listener, shared, backoff: Backoff::default() })
    }

    /// Accepts until the server shuts down. Then no loop waits for clients any
    /// more.
    ///
    /// # Errors
    /// None for a correct program: see [`Poller::wait`].
    pub(crate) fn run(mut self, log: &mut Log) -> Result<()> {
        self.shared.accepting.store(true, SeqCst);
        let mut events = Vec::new();
        let mut waited = Ok(());
        while waited.is_ok() && !self.shared.is_stopping() {
            let pause = self.backoff.until().map(|_| self.backoff.remaining());
            waited = self.poller.wait(&mut events, pause);
            self.accept_all(log);
        }
        self.shared.accepting.store(false, SeqCst);
        self.shared.shut_down();
        waited
    }

    /// Takes all that the queue has, as long as there is room.
    // ANCHOR: accept_all
    fn accept_all(&mut self, log: &mut Log) {
        let mut count = 0;
        while self.shared.has_room() && self.backoff.until().is_none() {
            count += 1;
            if count > LAST_ACCEPTS && self.shared.is_stopping() {
                return;
            }
            match accept_nonblocking(&self.listener) {
                Ok(client) => self.hand_over(client),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if is_connection_error(&e) => {}
                Err(source) => {
                    let error = Error { call: Call::Accept, source };
                    self.backoff.start(&error, log);
                }
            }
        }
    }

    /// Gives a client to the loop that has the fewest.
    fn hand_over(&self, client: (OwnedFd, SocketAddr)) {
        let busy = |mailbox: &&Mailbox| mailbox.open.load(SeqCst);
        let least = self.shared.loops.iter().min_by_key(busy);
        let Some(mailbox) = least else { return };
        self.shared.try_open();
        mailbox.open.fetch_add(1, SeqCst);
        mailbox.clients().push_back(client);
        mailbox.arrived.wake();
    }
    // ANCHOR_END: accept_all
}
