//! The server: step 02's, with `.await` where a thread would have waited.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use blocking::{Backoff, is_connection_error};
use epoll::Signals;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{
    Call, Conversation, Frame, LimitOptions, Log, Message, Result, ResultExt,
};
use threads::{IdleTimer, connection_limit};

use crate::{Either, Runtime, Source, race, until, yield_now};

/// As in step 04: bytes asked of the kernel at once, reads that are answered at
/// shutdown, room that an idle client keeps for replies, clients accepted in
/// one turn, and how long clients may take to read their last replies.
const READ_SIZE: usize = 2 * 1_024;
const DRAIN_READS: u8 = 32;
const IDLE_CAPACITY: usize = 128;
const ACCEPTS_PER_TURN: usize = 256;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

type Client = Source<OwnedFd>;

/// How far a client's conversation is.
#[derive(Default)]
struct State {
    conversation: Conversation,
    replies: Vec<u8>,
}

/// What all tasks share.
struct Server {
    runtime: Rc<Runtime>,
    log: RefCell<Log>,
    buffer: RefCell<[u8; READ_SIZE]>,
    idle_timeout: Option<Duration>,
    open: Cell<usize>,
    is_stopping: Cell<bool>,
}

/// # Errors
/// ENOSPC, ENOMEM: see [`epoll::Poller::register`].
pub(crate) fn run(
    listener: OwnedFd,
    signals: Signals,
    limits: &LimitOptions,
    log: Log,
) -> Result<()> {
    fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .context(Call::SetSockOpt)?;
    let runtime = Rc::new(Runtime::new()?);
    let listener = Source::new(listener, &runtime)?;
    let signals = Source::new(signals, &runtime)?;
    let max = connection_limit(limits.max_connections);
    let server = Rc::new(Server {
        runtime: Rc::clone(&runtime),
        log: RefCell::new(log),
        buffer: RefCell::new([0; READ_SIZE]),
        idle_timeout: limits.idle_timeout,
        open: Cell::default(),
        is_stopping: Cell::default(),
    });
    let main = server.serve(listener, signals, max);
    runtime.block_on(main, || server.log.borrow_mut().flush())?
}

impl Server {
    /// Accepts until a signal comes; then the clients are drained.
    async fn serve(
        self: &Rc<Self>,
        listener: Source<OwnedFd>,
        signals: Source<Signals>,
        max: usize,
    ) -> Result<()> {
        let accepting = pin!(self.accept(listener, max));
        let signal = match race(accepting, pin!(signals.signal())).await {
            Either::First(never) => match never {},
            Either::Second(signal) => signal?,
        };
        self.log.borrow_mut().notice(Message::ShuttingDown(signal));
        self.is_stopping.set(true);
        self.runtime.wake_all();
        let all_closed = pin!(until(|| self.open.get() == 0));
        race(all_closed, pin!(self.runtime.sleep(DRAIN_TIMEOUT))).await;
        // The tasks that are left are dropped: close(2).
        Ok(())
    }

    /// Takes clients from the accept queue, for ever.
    async fn accept(
        self: &Rc<Self>,
        listener: Source<OwnedFd>,
        max: usize,
    ) -> Infallible {
        let mut backoff = Backoff::default();
        loop {
            for _ in 0..ACCEPTS_PER_TURN {
                until(|| self.open.get() < max).await;
                match listener.accept().await {
                    Ok((socket, peer)) => self.open(socket, peer),
                    Err(error) if is_connection_error(&error.source) => {}
                    Err(error) => {
                        backoff.start(&error, &mut self.log.borrow_mut());
                        self.runtime.sleep(backoff.remaining()).await;
                    }
                }
            }
            yield_now().await;
        }
    }

    /// A client's task, from its first line to its last.
    fn open(self: &Rc<Self>, socket: OwnedFd, peer: SocketAddr) {
        self.log.borrow_mut().info(Message::Connected(peer));
        let fd = socket.as_raw_fd();
        let client = match Source::new(socket, &self.runtime) {
            Ok(client) => client,
            Err(error) => return self.log.borrow_mut().warn(&error),
        };
        self.open.set(self.open.get() + 1);
        let server = Rc::clone(self);
        self.runtime.spawn(async move {
            server.serve_client(client).await;
            server.log.borrow_mut().info(Message::Ended(Some(fd)));
            server.open.set(server.open.get() - 1);
        });
    }

    async fn serve_client(&self, client: Client) {
        let served = pin!(self.converse(&client));
        let result = match race(served, pin!(self.idle(&client))).await {
            Either::First(result) => result,
            Either::Second(()) => {
                self.log.borrow_mut().info(Message::IdleTimeout);
                Ok(())
            }
        };
        if let Err(error) = result {
            self.log.borrow_mut().warn(&error);
        }
    }

    /// Waits until `client` has been idle for the timeout.
    async fn idle(&self, client: &Client) {
        let Some(timeout) = self.idle_timeout else { return pending().await };
        let mut timer = IdleTimer::new(Instant::now());
        while !timer.is_expired(&client.io, Instant::now(), timeout) {
            self.runtime.sleep(IdleTimer::interval(timeout)).await;
        }
    }

    /// Answers `client` until its FIN, or until the server stops.
    // ANCHOR: converse
    async fn converse(&self, client: &Client) -> Result<()> {
        let mut state = State::default();
        let mut stop = pin!(until(|| self.is_stopping.get()));
        while let Either::First(count) =
            race(pin!(client.read(&self.buffer)), stop.as_mut()).await
        {
            let count = count?;
            self.answer(client, count, &mut state).await?;
            if count == 0 {
                return Ok(());
            }
        }
        for _ in 0..DRAIN_READS {
            let Ok(count) = client.try_read(&self.buffer) else { break };
            self.answer(client, count, &mut state).await?;
            if count == 0 {
                return Ok(());
            }
            yield_now().await;
        }
        // ENOTCONN: the peer has reset the connection, as `read` will say.
        let _ = shutdown(client.io.as_raw_fd(), Shutdown::Write);
        // To close before the peer's FIN has come would be a reset.
        while client.read(&self.buffer).await? > 0 {}
        Ok(())
    }

    /// Answers what a read of `count` bytes has brought. A client that does not
    /// take its replies is not read from either.
    async fn answer(
        &self,
        client: &Client,
        count: usize,
        State { conversation, replies }: &mut State,
    ) -> Result<()> {
        let on_reply = |line: Frame<'_>, reply: &[u8]| {
            self.log.borrow_mut().exchange(line, reply);
        };
        match &self.buffer.borrow()[..count] {
            [] => conversation.finish(replies, on_reply),
            input => conversation.feed(input, replies, on_reply),
        }
        client.write_all(replies).await?;
        replies.clear();
        replies.shrink_to(IDLE_CAPACITY);
        Ok(())
    }
    // ANCHOR_END: converse
}
