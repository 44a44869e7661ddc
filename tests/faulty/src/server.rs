//! The right server: one thread, one `epoll`, and each decision a method.
//!
//! It is the last stage of step 04's ladder with its decisions in a trait. The
//! body that stands here is the right one. A wrong server is this one with one
//! of them replaced.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use blocking::is_connection_error;
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Language, LimitOptions, Message};

/// What the listener's events carry; those of a client carry its descriptor.
const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;
/// Bytes of a line, its end not counted.
const MAX_LINE_LENGTH: usize = 1_000;
pub(crate) const TOO_LONG: &[u8] =
    "エラー: 1行は1000バイトまでです\n".as_bytes();
/// Past so many unsent bytes a connection is not read.
const OUTBOX_LIMIT: usize = 64 << 10;
/// How long a client may take to read its last replies.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Reads of what has arrived when we end a connection.
const DRAIN_READS: usize = 16;
/// How long to wait, in milliseconds, while something is due.
const TICK: u8 = 50;

/// An error that leaves the event loop ends the server.
pub(crate) type Result<T = ()> = io::Result<T>;

/// The line that is still coming.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// That has been said, and the rest of the line is dropped.
    pub(crate) too_long: bool,
}

/// A line without its end: `\n`, or `\r\n`. A `\r` in the last place may yet
/// prove part of the end.
pub(crate) fn text(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// One client's connection: what to wait for follows from its state.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    pub(crate) line: Line,
    /// Replies that the kernel has not taken yet.
    pub(crate) outbox: Vec<u8>,
    /// The peer's FIN has come.
    pub(crate) ended: bool,
    /// We are ending the connection, and close it then at the latest.
    drain_deadline: Option<Instant>,
    /// When bytes last came in or went out.
    pub(crate) last_active: Instant,
    registered: EpollFlags,
}

/// A server, decision by decision.
pub(crate) trait Server: Sync {
    /// `epoll_wait` failed: EINTR after Ctrl-Z and `fg`.
    fn after_failed_wait(&self, _: &mut EventLoop, e: io::Error) -> Result {
        if e.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(e) }
    }

    /// What to wait for with the listener.
    fn listener_interest(&self, accepting: bool) -> EpollFlags {
        if accepting { EpollFlags::EPOLLIN } else { EpollFlags::empty() }
    }

    /// Clients wait in the accept queue.
    fn accept(&self, event_loop: &mut EventLoop) -> Result {
        while event_loop.has_room() {
            match event_loop.accept() {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if is_connection_error(&e) => {}
                Err(e) => self.after_failed_accept(event_loop, e)?,
            }
        }
        Ok(())
    }

    /// `accept` is out of descriptors or memory.
    fn after_failed_accept(&self, el: &mut EventLoop, _: io::Error) -> Result {
        el.backoff = true;
        Ok(())
    }

    /// What to wait for with this connection.
    fn interest(&self, connection: &Connection) -> EpollFlags {
        let draining = connection.drain_deadline.is_some();
        let room = connection.outbox.len() <= OUTBOX_LIMIT;
        let readable = !connection.ended && (room || draining);
        let mut interest = EpollFlags::empty();
        interest.set(EpollFlags::EPOLLIN, readable);
        interest.set(EpollFlags::EPOLLOUT, !connection.outbox.is_empty());
        interest
    }

    /// Something may have come in: one `recv`, and the replies to it.
    fn receive(
        &self,
        connection: &mut Connection,
        buffer: &mut [u8],
    ) -> Result {
        match (&connection.socket).read(buffer) {
            Ok(0) => self.finish(connection),
            // Too late for a reply.
            Ok(_) if connection.drain_deadline.is_some() => Ok(()),
            Ok(count) => {
                connection.last_active = Instant::now();
                let input = self.received(buffer, count);
                self.feed(&mut connection.line, input, &mut connection.outbox);
                Ok(())
            }
            Err(e) if is_not_now(&e) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The bytes that a `recv` into `buffer` brought.
    fn received<'a>(&self, buffer: &'a [u8], count: usize) -> &'a [u8] {
        &buffer[..count]
    }

    /// Appends the replies to all lines that end in `input`.
    fn feed(&self, line: &mut Line, input: &[u8], replies: &mut Vec<u8>) {
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            self.extend(line, piece, replies);
            if piece.ends_with(b"\n") {
                let whole = std::mem::take(line);
                if !whole.too_long {
                    self.reply(text(&whole.bytes), replies);
                }
            }
        }
    }

    /// Adds `piece` to the line so far, unless that is too long.
    fn extend(&self, line: &mut Line, piece: &[u8], replies: &mut Vec<u8>) {
        if line.too_long {
            return;
        }
        line.bytes.extend_from_slice(piece);
        if text(&line.bytes).len() > MAX_LINE_LENGTH {
            *line = Line { bytes: Vec::new(), too_long: true };
            replies.extend_from_slice(TOO_LONG);
        }
    }

    /// Appends the reply to one line.
    fn reply(&self, line: &[u8], replies: &mut Vec<u8>) {
        if line.eq_ignore_ascii_case(b"ping") {
            replies.extend_from_slice(b"pong\n");
        } else {
            replies.extend(["受信しました: ".as_bytes(), line, b"\n"].concat());
        }
    }

    /// Sends of the outbox what the kernel takes.
    fn flush(&self, connection: &mut Connection) -> Result {
        while !connection.outbox.is_empty() {
            match (&connection.socket).write(&connection.outbox) {
                Ok(count) => drop(connection.outbox.drain(..count)),
                Err(e) if is_not_now(&e) => break,
                Err(e) => return Err(e),
            }
            connection.last_active = Instant::now();
        }
        Ok(())
    }

    /// The peer's FIN has come: a last line without its end is answered, too.
    fn finish(&self, connection: &mut Connection) -> Result {
        connection.ended = true;
        let in_time = connection.drain_deadline.is_none();
        if in_time && !connection.line.bytes.is_empty() {
            self.feed(&mut connection.line, b"\n", &mut connection.outbox);
        }
        Ok(())
    }

    /// A connection is over: both sides have sent all, or `recv` or `send` has
    /// failed, which concerns no other.
    fn close(&self, connection: Connection, _: Result) -> Result {
        drop(connection);
        Ok(())
    }

    /// A client was silent for the idle timeout, or sent something while the
    /// whole process stood still.
    fn close_idle(&self, event_loop: &mut EventLoop, fd: RawFd) -> Result {
        event_loop.serve(fd)?;
        if event_loop.is_idle(fd) {
            event_loop.drain(fd)?;
        }
        Ok(())
    }

    /// A signal has come: the clients that are there get the replies to what
    /// they have sent.
    fn shut_down(&self, event_loop: &mut EventLoop) -> Result {
        event_loop.fds().into_iter().try_for_each(|fd| event_loop.drain(fd))
    }
}

/// Nothing came, or there is no room. After EINTR, too: level-triggered reports
/// it again.
fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// If stdout's reader is gone, the line is dropped.
fn print(message: Message<'_>) {
    let line = message.text(Language::from_environment());
    let _ = writeln!(io::stdout(), "{line}");
}

/// What the server waits with, and its connections.
pub(crate) struct EventLoop {
    server: &'static dyn Server,
    epoll: Epoll,
    signals: SignalFd,
    /// `None` while we shut down.
    listener: Option<TcpListener>,
    listener_registered: EpollFlags,
    /// After EMFILE: no client is accepted until the next wait is over.
    backoff: bool,
    pub(crate) connections: HashMap<RawFd, Connection>,
    limits: LimitOptions,
    buffer: [u8; 4_096],
}

impl EventLoop {
    pub(crate) fn new(
        server: &'static dyn Server,
        listener: TcpListener,
        limits: LimitOptions,
    ) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let stop = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        stop.thread_block()?;
        let signals = SignalFd::with_flags(&stop, SfdFlags::SFD_NONBLOCK)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::empty(), LISTENER))?;
        print(Message::Listening(listener.local_addr()?));
        Ok(Self {
            server,
            epoll,
            signals,
            listener: Some(listener),
            listener_registered: EpollFlags::empty(),
            backoff: false,
            connections: HashMap::new(),
            limits,
            buffer: [0; 4_096],
        })
    }

    pub(crate) fn run(&mut self) -> Result {
        let mut events = [EpollEvent::empty(); 256];
        while self.listener.is_some() || !self.connections.is_empty() {
            self.register_listener()?;
            let waited = self.epoll.wait(&mut events, self.timeout());
            self.backoff = false;
            let count = waited.or_else(|errno| {
                self.server.after_failed_wait(self, errno.into()).map(|()| 0)
            })?;
            for event in &events[..count] {
                match event.data() {
                    LISTENER => self.server.accept(self)?,
                    SIGNALS => self.shut_down()?,
                    fd => self.serve(fd as RawFd)?,
                }
            }
            self.end_connections()?;
        }
        Ok(())
    }

    fn timeout(&self) -> EpollTimeout {
        let idle = self.limits.idle_timeout.is_some();
        let due = self.backoff || idle || self.listener.is_none();
        if due { TICK.into() } else { EpollTimeout::NONE }
    }

    fn has_room(&self) -> bool {
        let open = self.connections.len();
        let most = self.limits.max_connections.unwrap_or(usize::MAX);
        self.listener.is_some() && !self.backoff && open < most
    }

    /// Waits for clients while there is room for them.
    fn register_listener(&mut self) -> Result {
        let Some(listener) = &self.listener else { return Ok(()) };
        let flags = self.server.listener_interest(self.has_room());
        if flags != self.listener_registered {
            self.listener_registered = flags;
            let mut event = EpollEvent::new(flags, LISTENER);
            self.epoll.modify(listener, &mut event)?;
        }
        Ok(())
    }

    /// Takes the next client from the queue. `man 2 accept`.
    pub(crate) fn accept(&mut self) -> Result {
        let none = || io::Error::from(ErrorKind::WouldBlock);
        let (socket, _) = self.listener.as_ref().ok_or_else(none)?.accept()?;
        socket.set_nonblocking(true)?;
        let registered = EpollFlags::empty();
        let event = EpollEvent::new(registered, socket.as_raw_fd() as u64);
        self.epoll.add(&socket, event)?;
        self.register(Connection {
            socket,
            line: Line::default(),
            outbox: Vec::new(),
            ended: false,
            drain_deadline: None,
            last_active: Instant::now(),
            registered,
        })
    }

    /// `epoll_ctl` where the interest has changed.
    fn register(&mut self, mut connection: Connection) -> Result {
        let fd = connection.socket.as_raw_fd();
        let flags = self.server.interest(&connection);
        if flags != connection.registered {
            connection.registered = flags;
            let mut event = EpollEvent::new(flags, fd as u64);
            self.epoll.modify(&connection.socket, &mut event)?;
        }
        self.connections.insert(fd, connection);
        Ok(())
    }

    /// Does for a connection what can be done without waiting.
    pub(crate) fn serve(&mut self, fd: RawFd) -> Result {
        // An earlier event of this turn may have closed it.
        let Some(mut connection) = self.connections.remove(&fd) else {
            return Ok(());
        };
        let result = self.advance(&mut connection);
        let finished = connection.ended && connection.outbox.is_empty();
        if finished || result.is_err() {
            return self.server.close(connection, result);
        }
        self.register(connection)
    }

    fn advance(&mut self, connection: &mut Connection) -> Result {
        let server = self.server;
        if server.interest(connection).contains(EpollFlags::EPOLLIN) {
            server.receive(connection, &mut self.buffer)?;
        }
        server.flush(connection)?;
        let draining = connection.drain_deadline.is_some();
        if draining && !connection.ended && connection.outbox.is_empty() {
            // Our FIN first: closed now, the socket would answer the peer's
            // next bytes with a reset, and replies would be lost with it.
            // ENOTCONN after a reset: the next `recv` has the error.
            let _ = connection.socket.shutdown(Shutdown::Write);
        }
        Ok(())
    }

    fn shut_down(&mut self) -> Result {
        if let Ok(Some(signal)) = self.signals.read_signal() {
            let number = signal.ssi_signo.cast_signed();
            print(Message::ShuttingDown(number));
        }
        self.listener = None; // close(2): further clients are refused
        self.server.shut_down(self)
    }

    /// Answers what has arrived, and then ends the connection.
    pub(crate) fn drain(&mut self, fd: RawFd) -> Result {
        for _ in 0..DRAIN_READS {
            self.serve(fd)?;
        }
        if let Some(connection) = self.connections.get_mut(&fd) {
            let deadline = Instant::now() + DRAIN_TIMEOUT;
            connection.drain_deadline.get_or_insert(deadline);
        }
        self.serve(fd)
    }

    /// Those that were idle for too long, and those that take too long to end.
    fn end_connections(&mut self) -> Result {
        for fd in self.fds() {
            if self.is_idle(fd) {
                self.server.close_idle(self, fd)?;
            }
        }
        let now = Instant::now();
        self.connections.retain(|_, connection| {
            connection.drain_deadline.is_none_or(|deadline| now < deadline)
        });
        Ok(())
    }

    fn is_idle(&self, fd: RawFd) -> bool {
        let connection = self.connections.get(&fd);
        connection.zip(self.limits.idle_timeout).is_some_and(|(c, timeout)| {
            c.drain_deadline.is_none() && c.last_active.elapsed() >= timeout
        })
    }

    pub(crate) fn fds(&self) -> Vec<RawFd> {
        self.connections.keys().copied().collect()
    }
}
