//! One thread, one `epoll`: who is ready gets a turn.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use protocol::{Language, Localized, Message};

use super::{Connection, Interest, Server, Shared};
use crate::Options;

const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;
/// How long to wait before something is tried again.
const TICK_MS: u16 = 100;

/// Listens, says where, and serves until a signal comes. An error is a line
/// for stderr.
pub(crate) fn run(
    server: &dyn Server,
    options: &Options,
) -> Result<(), String> {
    let Options { listen, max_connections, .. } = options;
    let listener = blocking::listen(listen.address(), listen.backlog)
        .map_err(|failure| failure.to_string())?;
    EventLoop::new(server, listener.into(), *max_connections)
        .and_then(|event_loop| event_loop.run(server))
        .map_err(|error| format!("[!] {error}"))
}

/// Prints what a server prints. Who reads that may have left: that is no
/// reason to stop.
pub(super) fn say(message: Message<'_>) {
    let message = Localized(message, Language::from_environment());
    let _ = writeln!(io::stdout(), "{message}");
}

/// What the kernel was told last; `None`: whatever comes next is news.
pub(super) type Told = Option<Interest>;

/// Whom the server serves, and what it waits with.
pub(crate) struct EventLoop {
    pub(super) epoll: Epoll,
    edge: EpollFlags,
    pub(super) signals: SignalFd,
    /// `None` once the server is ending.
    pub(super) listener: Option<TcpListener>,
    pub(super) told_listener: Told,
    pub(super) clients: BTreeMap<u64, (Connection, Told)>,
    pub(super) limit: usize,
    pub(super) resting: bool,
    pub(super) end: Option<Instant>,
    pub(super) shared: Shared,
}

impl EventLoop {
    fn new(
        server: &dyn Server,
        listener: TcpListener,
        limit: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let ending = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        ending.thread_block()?;
        let signals = SignalFd::with_flags(&ending, SfdFlags::SFD_NONBLOCK)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        let nothing = EpollEvent::new(EpollFlags::empty(), LISTENER);
        epoll.add(&listener, nothing)?;
        let mut edge = EpollFlags::EPOLLET;
        edge.set(EpollFlags::EPOLLET, server.edge_triggered());
        Ok(Self {
            epoll,
            edge,
            signals,
            listener: Some(listener),
            told_listener: None,
            clients: BTreeMap::new(),
            limit,
            resting: false,
            end: None,
            shared: Shared { buffer: [0; 4_096], replies: Vec::new() },
        })
    }

    fn run(mut self, server: &dyn Server) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        if let Some(listener) = &self.listener {
            say(Message::Listening(listener.local_addr()?));
        }
        self.look_after_listener()?;
        while !self.is_over() {
            let waited = self.epoll.wait(&mut events, self.timeout());
            // Whatever had run out: it is worth another try.
            self.resting = false;
            let count = match waited {
                Ok(count) => count,
                Err(errno) => {
                    server.after_failed_wait(errno.into())?;
                    0
                }
            };
            for event in &events[..count] {
                match event.data() {
                    LISTENER => server.accept(&mut self)?,
                    SIGNALS => self.stop(server)?,
                    token => self.serve(server, token)?,
                }
            }
            self.look_after_listener()?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let late = self.end.is_some_and(|end| end <= Instant::now());
        self.listener.is_none() && (late || self.clients.is_empty())
    }

    fn timeout(&self) -> EpollTimeout {
        let waits = !self.resting && self.listener.is_some();
        if waits { EpollTimeout::NONE } else { TICK_MS.into() }
    }

    /// Asks for clients while there is room for them.
    fn look_after_listener(&mut self) -> io::Result<()> {
        let read = !self.resting && self.has_room();
        let wanted = Interest { read, write: false };
        if let Some(listener) = &self.listener
            && self.told_listener != Some(wanted)
        {
            self.modify(listener, LISTENER, wanted)?;
            self.told_listener = Some(wanted);
        }
        Ok(())
    }

    /// Tells the kernel. Under edge-triggered, what is ready already counts as
    /// news again.
    pub(super) fn modify(
        &self,
        fd: impl AsFd,
        token: u64,
        wanted: Interest,
    ) -> io::Result<()> {
        let mut flags = self.edge;
        flags.set(EpollFlags::EPOLLIN, wanted.read);
        flags.set(EpollFlags::EPOLLOUT, wanted.write);
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(flags, token))?)
    }
}
