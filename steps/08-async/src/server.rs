//! The server: step 02's, with `.await` where a thread would have waited.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use blocking::{Backoff, accept_nonblocking, is_connection_error};
use epoll::Signals;
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Conversation, Frame, LimitOptions, Log, Message, Result};
use threads::{IdleTimer, connection_limit};

use crate::{Runtime, Source, race, until};

/// Bytes asked of the kernel at once, and memory for the usual replies to them.
pub(crate) const READ_SIZE: usize = 2 * 1_024;
const REPLIES_SIZE: usize = 128;
/// Reads that are answered at shutdown, and how long clients may take to read
/// their last replies.
const DRAIN_READS: u8 = 32;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What all tasks share.
pub(crate) struct Server {
    pub(crate) runtime: Rc<Runtime>,
    pub(crate) limits: LimitOptions,
    pub(crate) log: RefCell<Log>,
    pub(crate) buffer: RefCell<[u8; READ_SIZE]>,
    pub(crate) is_stopping: Cell<bool>,
}

impl Server {
    /// Each client's task has a share, and [`run`](crate::run) has one.
    fn clients(self: &Rc<Self>) -> usize {
        Rc::strong_count(self) - 1
    }

    /// Accepts until a signal comes; then the clients are drained.
    pub(crate) async fn serve(
        self: &Rc<Self>,
        listener: Source<OwnedFd>,
        signals: Source<Signals>,
    ) {
        let signal = until(|| {
            signals.is_ready()
                && signals.io.is_requested(&mut self.log.borrow_mut())
        });
        race(signal, pin!(self.accept(listener))).await;
        self.is_stopping.set(true);
        self.runtime.wake_all();
        let all_closed = until(|| self.clients() == 0);
        race(all_closed, self.runtime.sleep(DRAIN_TIMEOUT)).await;
        // The tasks that are left are dropped: close(2).
    }

    /// Takes clients from the accept queue, without end.
    async fn accept(self: &Rc<Self>, listener: Source<OwnedFd>) {
        let max = connection_limit(self.limits.max_connections);
        let mut backoff = Backoff::default();
        let accept = || accept_nonblocking(&listener.io);
        loop {
            until(|| self.clients() < max).await;
            match listener.when_ready(Call::Accept, accept).await {
                Ok((socket, peer)) => self.open(socket, peer),
                Err(error) if is_connection_error(&error.source) => {}
                Err(error) => {
                    let pause =
                        backoff.start(&error, &mut self.log.borrow_mut());
                    self.runtime.sleep(pause).await;
                }
            }
        }
    }

    /// Starts a client's task.
    fn open(self: &Rc<Self>, socket: OwnedFd, peer: SocketAddr) {
        self.log.borrow_mut().info(Message::Connected(peer));
        match Source::new(socket, &self.runtime) {
            Ok(client) => self.runtime.spawn(Rc::clone(self).run(client)),
            Err(error) => self.log.borrow_mut().warn(&error),
        }
    }

    /// A client's task, from its first line to its last.
    async fn run(self: Rc<Self>, client: Source<OwnedFd>) {
        let ended =
            race(pin!(self.converse(&client)), pin!(self.idle(&client))).await;
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => self.log.borrow_mut().warn(&error),
            None => self.log.borrow_mut().info(Message::IdleTimeout),
        }
        let fd = client.io.as_raw_fd();
        drop(client); // close(2)
        self.log.borrow_mut().info(Message::Ended(Some(fd)));
    }

    /// Waits until `client` has been idle for the timeout.
    async fn idle(&self, client: &Source<OwnedFd>) {
        let Some(timeout) = self.limits.idle_timeout else {
            return pending().await;
        };
        let mut timer = IdleTimer::new(Instant::now());
        while !timer.is_expired(&client.io, Instant::now(), timeout) {
            self.runtime.sleep(IdleTimer::interval(timeout)).await;
        }
    }

    /// Answers `client` until its FIN, or until the server stops and what had
    /// arrived is answered. A client that does not take its replies is not read
    /// from either.
    async fn converse(&self, client: &Source<OwnedFd>) -> Result<()> {
        let mut conversation = Conversation::default();
        let log = |line: Frame<'_>, reply: &[u8]| {
            self.log.borrow_mut().exchange(line, reply);
        };
        let mut drained =
            until(|| self.is_stopping.get() && !client.is_ready());
        let mut reads_left = DRAIN_READS;
        while reads_left > 0 {
            let read = client.read(&self.buffer);
            let read = race(read, &mut drained).await;
            let Some(count) = read.transpose()? else { break };
            let mut replies = Vec::with_capacity(REPLIES_SIZE);
            match &self.buffer.borrow()[..count] {
                [] => conversation.finish(&mut replies, log),
                input => conversation.feed(input, &mut replies, log),
            }
            client.write_all(&replies).await?;
            if count == 0 {
                return Ok(());
            }
            reads_left -= u8::from(self.is_stopping.get());
        }
        // ENOTCONN: the peer has reset the connection, as `read` will say.
        let _ = shutdown(client.io.as_raw_fd(), Shutdown::Write);
        // To close before the peer's FIN has come would be a reset.
        while client.read(&self.buffer).await? > 0 {}
        Ok(())
    }
}
