//! The server: step 02's, with `.await` where a thread would have waited.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use blocking::{Backoff, is_connection_error};
use epoll::Signals;
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Call, Conversation, Frame, LimitOptions, Log, Message, Result};
use threads::{IdleTimer, connection_limit};

use crate::{Runtime, Source, race, until, yield_now};

/// As in step 04: bytes asked of the kernel at once, reads that are answered at
/// shutdown, room that an idle client keeps for replies, and how long clients
/// may take to read their last replies.
const READ_SIZE: usize = 2 * 1_024;
const DRAIN_READS: u8 = 32;
const IDLE_CAPACITY: usize = 128;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What all tasks share. Each client's task has a share of its own.
pub(crate) struct Server {
    runtime: Rc<Runtime>,
    pub(crate) log: RefCell<Log>,
    buffer: RefCell<[u8; READ_SIZE]>,
    max_connections: usize,
    idle_timeout: Option<Duration>,
    is_stopping: Cell<bool>,
}

impl Server {
    pub(crate) fn new(
        runtime: &Rc<Runtime>,
        limits: &LimitOptions,
        log: Log,
    ) -> Self {
        Self {
            runtime: Rc::clone(runtime),
            log: RefCell::new(log),
            buffer: RefCell::new([0; READ_SIZE]),
            max_connections: connection_limit(limits.max_connections),
            idle_timeout: limits.idle_timeout,
            is_stopping: Cell::new(false),
        }
    }

    /// The number of clients.
    fn open(self: &Rc<Self>) -> usize {
        Rc::strong_count(self) - 1
    }

    /// Accepts until a signal comes; then the clients are drained.
    // ANCHOR: serve
    pub(crate) async fn serve(
        self: &Rc<Self>,
        listener: Source<OwnedFd>,
        signals: Source<Signals>,
    ) -> Result<()> {
        let none = || ErrorKind::WouldBlock.into();
        let signal = signals.when_ready(Call::Signals, |signals| {
            signals.read().ok_or_else(none)
        });
        if let Some(signal) = race(signal, pin!(self.accept(listener))).await {
            self.log.borrow_mut().notice(Message::ShuttingDown(signal?));
        }
        self.is_stopping.set(true);
        self.runtime.reactor.wake_all();
        let all_closed = until(|| self.open() == 0);
        race(all_closed, self.runtime.sleep(DRAIN_TIMEOUT)).await;
        // The tasks that are left are dropped: close(2).
        Ok(())
    }
    // ANCHOR_END: serve

    /// Takes clients from the accept queue, without end.
    async fn accept(self: &Rc<Self>, listener: Source<OwnedFd>) {
        let mut backoff = Backoff::default();
        loop {
            until(|| self.open() < self.max_connections).await;
            match listener.accept().await {
                Ok((socket, peer)) => {
                    let task = Rc::clone(self).serve_client(socket, peer);
                    self.runtime.spawn(task);
                }
                Err(error) if is_connection_error(&error.source) => {}
                Err(error) => {
                    let pause =
                        backoff.start(&error, &mut self.log.borrow_mut());
                    self.runtime.sleep(pause).await;
                }
            }
            yield_now().await;
        }
    }

    /// A client's task, from its first line to its last.
    async fn serve_client(self: Rc<Self>, socket: OwnedFd, peer: SocketAddr) {
        let fd = socket.as_raw_fd();
        self.log.borrow_mut().info(Message::Connected(peer));
        match self.converse_or_time_out(socket).await {
            Ok(Some(())) => {}
            Ok(None) => self.log.borrow_mut().info(Message::IdleTimeout),
            Err(error) => self.log.borrow_mut().warn(&error),
        }
        self.log.borrow_mut().info(Message::Ended(Some(fd)));
    }

    async fn converse_or_time_out(
        &self,
        socket: OwnedFd,
    ) -> Result<Option<()>> {
        let client = Source::new(socket, &self.runtime)?;
        let converse = pin!(self.converse(&client));
        race(converse, pin!(self.idle(&client))).await.transpose()
    }

    /// Waits until `client` has been idle for the timeout.
    async fn idle(&self, client: &Source<OwnedFd>) {
        let Some(timeout) = self.idle_timeout else { return pending().await };
        let mut timer = IdleTimer::new(Instant::now());
        while !timer.is_expired(&client.io, Instant::now(), timeout) {
            self.runtime.sleep(IdleTimer::interval(timeout)).await;
        }
    }

    /// Answers `client` until its FIN, or until the server stops. A client that
    /// does not take its replies is not read from either.
    // ANCHOR: converse
    async fn converse(&self, client: &Source<OwnedFd>) -> Result<()> {
        let (mut conversation, mut replies) = Default::default();
        let mut stop = until(|| self.is_stopping.get());
        let mut reads_left = DRAIN_READS;
        while reads_left > 0 {
            let count = match race(client.read(&self.buffer), &mut stop).await {
                Some(count) => count?,
                None => match client.try_read(&self.buffer) {
                    Ok(count) => count,
                    Err(_) => break,
                },
            };
            self.answer(count, &mut conversation, &mut replies);
            client.write_all(&replies).await?;
            if count == 0 {
                return Ok(());
            }
            replies.clear();
            replies.shrink_to(IDLE_CAPACITY);
            if self.is_stopping.get() {
                reads_left -= 1;
                yield_now().await;
            }
        }
        // ENOTCONN: the peer has reset the connection, as `read` will say.
        let _ = shutdown(client.io.as_raw_fd(), Shutdown::Write);
        // To close before the peer's FIN has come would be a reset.
        while client.read(&self.buffer).await? > 0 {}
        Ok(())
    }
    // ANCHOR_END: converse

    /// Answers what a read of `count` bytes has brought.
    fn answer(
        &self,
        count: usize,
        conversation: &mut Conversation,
        replies: &mut Vec<u8>,
    ) {
        let on_reply = |line: Frame<'_>, reply: &[u8]| {
            self.log.borrow_mut().exchange(line, reply);
        };
        match &self.buffer.borrow()[..count] {
            [] => conversation.finish(replies, on_reply),
            input => conversation.feed(input, replies, on_reply),
        }
    }
}
