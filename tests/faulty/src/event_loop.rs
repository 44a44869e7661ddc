//! One thread, one `epoll`: the loop that asks the server for each decision.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{setsockopt, sockopt};
use protocol::{Language, Localized, Message};

use crate::Options;
use crate::base::{Connection, Line, Result, Server};

const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;
/// Reads of what has arrived when we end a connection.
const DRAIN_READS: usize = 16;
/// How long to wait, in milliseconds, while something is due.
const TICK: u8 = 50;
/// Of replies in the kernel: with megabytes, a client that reads slowly would
/// make room too seldom for us to see that it reads.
const SEND_BUFFER: usize = 64 << 10;

/// If stdout's reader is gone, the line is dropped.
fn print(message: Message<'_>) {
    let message = Localized(message, Language::from_environment());
    let _ = writeln!(io::stdout(), "{message}");
}

/// What the server waits with, and its connections.
pub(crate) struct EventLoop {
    server: &'static dyn Server,
    epoll: Epoll,
    signals: SignalFd,
    /// `None` while we shut down.
    listener: Option<TcpListener>,
    listener_registered: EpollFlags,
    /// After EMFILE: no client is accepted in the next turn.
    pub(crate) backoff: bool,
    pub(crate) connections: HashMap<RawFd, Connection>,
    max_connections: usize,
    idle_timeout: Option<Duration>,
    buffer: [u8; 4_096],
}

impl EventLoop {
    pub(crate) fn new(
        server: &'static dyn Server,
        listener: TcpListener,
        options: &Options,
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
            max_connections: options
                .limits
                .max_connections
                .unwrap_or(usize::MAX),
            idle_timeout: options.limits.idle_timeout,
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
        let due = self.backoff
            || self.idle_timeout.is_some()
            || self.listener.is_none();
        if due { TICK.into() } else { EpollTimeout::NONE }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.listener.is_some() && self.connections.len() < self.max_connections
    }

    /// Waits for clients while there is room for them.
    fn register_listener(&mut self) -> Result {
        let Some(listener) = &self.listener else { return Ok(()) };
        let mut flags = EpollFlags::empty();
        let accepting = !self.backoff && self.has_room();
        flags.set(EpollFlags::EPOLLIN, accepting);
        flags.set(EpollFlags::EPOLLET, self.server.listener_edge_triggered());
        if flags != self.listener_registered {
            self.listener_registered = flags;
            let mut event = EpollEvent::new(flags, LISTENER);
            self.epoll.modify(listener, &mut event)?;
        }
        Ok(())
    }

    /// Takes the next client from the queue. `man 2 accept`.
    pub(crate) fn accept(&self) -> Result<TcpStream> {
        let none = || io::Error::from(ErrorKind::WouldBlock);
        let (socket, _) = self.listener.as_ref().ok_or_else(none)?.accept()?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER)?;
        Ok(socket)
    }

    /// A new connection.
    pub(crate) fn open(&mut self, socket: TcpStream) -> Result {
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
        let mut flags = self.server.interest(&connection);
        flags.set(EpollFlags::EPOLLET, self.server.edge_triggered());
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
        if let Err(error) = self.advance(&mut connection) {
            return self.server.after_error(connection, error);
        }
        if connection.ended && connection.outbox.is_empty() {
            self.server.close(connection);
            return Ok(());
        }
        self.register(connection)
    }

    fn advance(&mut self, connection: &mut Connection) -> Result {
        let server = self.server;
        server.flush(connection)?;
        if server.interest(connection).contains(EpollFlags::EPOLLIN) {
            server.receive(connection, &mut self.buffer)?;
        }
        server.flush(connection)?;
        let draining = connection.drain_deadline.is_some();
        if draining && !connection.ended && connection.outbox.is_empty() {
            // Our FIN first: closed now, the socket would answer the peer's
            // next bytes with a reset, and replies would be lost with it.
            connection.socket.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    pub(crate) fn has_input(&self, fd: RawFd) -> bool {
        let peek = |c: &Connection| c.socket.peek(&mut [0]).unwrap_or(0);
        self.connections.get(&fd).is_some_and(|c| peek(c) > 0)
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
    pub(crate) fn drain(&mut self, fd: RawFd, deadline: Instant) -> Result {
        let mut reads = 0..DRAIN_READS;
        while reads.next().is_some() && Instant::now() < deadline {
            self.serve(fd)?;
        }
        if let Some(connection) = self.connections.get_mut(&fd) {
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

    pub(crate) fn is_idle(&self, fd: RawFd) -> bool {
        let connection = self.connections.get(&fd);
        connection.zip(self.idle_timeout).is_some_and(|(c, timeout)| {
            c.drain_deadline.is_none() && c.last_active.elapsed() >= timeout
        })
    }

    pub(crate) fn fds(&self) -> Vec<RawFd> {
        self.connections.keys().copied().collect()
    }
}
