//! One thread, one `epoll`: the loop that asks the server for each decision.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Language, Localized, Message};

use crate::Options;
use crate::base::{Buffers, Connection, Line, Server};

const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;
/// How long clients may take to read their last replies.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long to wait, in milliseconds, while something is due.
const TICK: u16 = 100;

/// Listens, says where, and serves until a signal comes. An error is a line for
/// stderr.
pub(crate) fn run(
    server: &dyn Server,
    options: &Options,
) -> Result<(), String> {
    let Options { listen, max_connections, .. } = options;
    let listener = blocking::listen(listen.address(), listen.backlog)
        .map_err(|error| error.to_string())?;
    EventLoop::new(server, listener.into(), *max_connections)
        .and_then(|mut event_loop| event_loop.run(server))
        .map_err(|error| format!("[!] {error}"))
}

/// If stdout's reader is gone, the line is dropped.
fn print(message: Message<'_>) {
    let message = Localized(message, Language::from_environment());
    let _ = writeln!(io::stdout(), "{message}");
}

/// What the server waits with, and its connections.
pub(crate) struct EventLoop {
    epoll: Epoll,
    edge: EpollFlags,
    signals: SignalFd,
    /// `None` while we shut down.
    listener: Option<TcpListener>,
    /// As with a connection.
    pub(crate) listener_registered: Option<EpollFlags>,
    pub(crate) connections: HashMap<RawFd, Connection>,
    max_connections: usize,
    /// No client is accepted until the next turn.
    pub(crate) backoff: bool,
    drain_deadline: Option<Instant>,
    pub(crate) buffers: Buffers,
}

impl EventLoop {
    fn new(
        server: &dyn Server,
        listener: TcpListener,
        max_connections: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let stop = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        stop.thread_block()?;
        let signals = SignalFd::with_flags(&stop, SfdFlags::SFD_NONBLOCK)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::empty(), LISTENER))?;
        let mut edge = EpollFlags::EPOLLET;
        edge.set(EpollFlags::EPOLLET, server.edge_triggered());
        Ok(Self {
            epoll,
            edge,
            signals,
            listener: Some(listener),
            listener_registered: None,
            connections: HashMap::new(),
            max_connections,
            backoff: false,
            drain_deadline: None,
            buffers: Buffers { input: [0; 4_096], replies: Vec::new() },
        })
    }

    fn run(&mut self, server: &dyn Server) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        if let Some(listener) = &self.listener {
            print(Message::Listening(listener.local_addr()?));
        }
        self.register_listener()?;
        while !self.is_finished() {
            let waited = self.epoll.wait(&mut events, self.timeout());
            self.backoff = false;
            let count = match waited {
                Ok(count) => count,
                Err(errno) => {
                    server.after_failed_wait(errno.into())?;
                    0
                }
            };
            for event in &events[..count] {
                match event.data() {
                    LISTENER => server.accept(self)?,
                    SIGNALS => self.shut_down(server)?,
                    fd => self.serve(server, fd as RawFd)?,
                }
            }
            self.register_listener()?;
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        let over = self.drain_deadline.is_some_and(|at| at <= Instant::now());
        self.listener.is_none() && (over || self.connections.is_empty())
    }

    fn timeout(&self) -> EpollTimeout {
        let due = self.backoff || self.listener.is_none();
        if due { TICK.into() } else { EpollTimeout::NONE }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.listener.is_some() && self.connections.len() < self.max_connections
    }

    /// Takes the next client from the queue. `man 2 accept`.
    pub(crate) fn accept(&self) -> io::Result<TcpStream> {
        let none = || io::Error::from(ErrorKind::WouldBlock);
        let (socket, _) = self.listener.as_ref().ok_or_else(none)?.accept()?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// A new connection.
    pub(crate) fn open(
        &mut self,
        server: &(impl Server + ?Sized),
        socket: TcpStream,
    ) -> io::Result<()> {
        let fd = socket.as_raw_fd();
        let nothing = EpollEvent::new(EpollFlags::empty(), fd as u64);
        self.epoll.add(&socket, nothing)?;
        let connection = Connection {
            socket,
            line: Line::default(),
            outbox: Vec::new(),
            ended: false,
            draining: false,
            registered: None,
        };
        self.connections.insert(fd, connection);
        self.after_turn(server, fd, Ok(()))
    }

    fn serve(&mut self, server: &dyn Server, fd: RawFd) -> io::Result<()> {
        // An earlier event of this turn may have closed it.
        let Some(connection) = self.connections.get_mut(&fd) else {
            return Ok(());
        };
        let result = connection.advance(server, &mut self.buffers);
        self.after_turn(server, fd, result)
    }

    fn after_turn(
        &mut self,
        server: &(impl Server + ?Sized),
        fd: RawFd,
        result: io::Result<()>,
    ) -> io::Result<()> {
        let Some(mut connection) = self.connections.remove(&fd) else {
            return Ok(());
        };
        if let Err(error) = result {
            return server.after_error(connection, error);
        }
        if connection.ended && connection.outbox.is_empty() {
            server.close(connection);
            return Ok(());
        }
        let interest = Some(server.interest(&connection));
        let Connection { socket, registered, .. } = &mut connection;
        self.register(&*socket, fd as u64, registered, interest)?;
        self.connections.insert(fd, connection);
        Ok(())
    }

    /// EPOLL_CTL_MOD where it is not registered so. Edge-triggered, what is
    /// ready already is then reported once more.
    fn register(
        &self,
        fd: impl AsFd,
        token: u64,
        registered: &mut Option<EpollFlags>,
        interest: Option<EpollFlags>,
    ) -> io::Result<()> {
        let Some(flags) = interest.filter(|_| interest != *registered) else {
            return Ok(());
        };
        *registered = interest;
        let mut event = EpollEvent::new(flags | self.edge, token);
        Ok(self.epoll.modify(fd, &mut event)?)
    }

    /// Waits for clients while there is room for them.
    fn register_listener(&mut self) -> io::Result<()> {
        let mut interest = EpollFlags::empty();
        let accepting = !self.backoff && self.has_room();
        interest.set(EpollFlags::EPOLLIN, accepting);
        let mut registered = self.listener_registered;
        if let Some(listener) = &self.listener {
            let interest = Some(interest);
            self.register(listener, LISTENER, &mut registered, interest)?;
        }
        self.listener_registered = registered;
        Ok(())
    }

    fn shut_down(&mut self, server: &dyn Server) -> io::Result<()> {
        if let Ok(Some(signal)) = self.signals.read_signal() {
            let number = signal.ssi_signo.cast_signed();
            print(Message::ShuttingDown(number));
        }
        self.listener = None; // close(2): further clients are refused
        self.drain_deadline = Some(Instant::now() + DRAIN_TIMEOUT);
        server.shut_down(self);
        let open: Vec<_> = self.connections.keys().copied().collect();
        open.into_iter().try_for_each(|fd| self.serve(server, fd))
    }
}

impl Connection {
    /// Does what can be done without waiting.
    fn advance(
        &mut self,
        server: &dyn Server,
        buffers: &mut Buffers,
    ) -> io::Result<()> {
        server.flush(self)?;
        if !server.read(self, buffers)? {
            self.registered = None;
        }
        if self.draining && self.outbox.is_empty() {
            // Our FIN first: closed now, the socket would answer the peer's
            // next bytes with a reset, and replies would be lost with it.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
        Ok(())
    }
}
