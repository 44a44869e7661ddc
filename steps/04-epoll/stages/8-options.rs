//! Stage 8 of step 04, the options: `--max-connections N` leaves further
//! clients in the accept queue, `--idle-timeout SECONDS` closes a client that
//! sends nothing for so long.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{self, AddressFamily, Backlog, SockaddrIn};
use nix::sys::socket::{SockFlag, SockType, sockopt};

const BACKLOG: i32 = 4_096;
/// What the listener's events carry; those of a client carry its descriptor.
const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;
/// Bytes of a line, its end not counted.
const MAX_LINE_LENGTH: usize = 1_000;
const TOO_LONG: &str = "エラー: 1行は1000バイトまでです\n";
/// Past so many unsent bytes a connection is not read.
const OUTBOX_LIMIT: usize = 64 * 1_024;
/// How long a client may take to read its last replies.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Reads of what has arrived when we end a connection.
const DRAIN_READS: usize = 16;
/// How long not to accept after EMFILE.
const BACKOFF: Duration = Duration::from_millis(100);
/// How long to wait, in milliseconds, while something is due.
const TICK: u8 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).unwrap_or("8888".into()).parse()?;
    let max_connections = option("--max-connections")?;
    let idle_timeout = option("--idle-timeout")?.map(Duration::from_secs);
    let signals = signals()?;
    let listener = listen(port)?;
    log(&format!("[*] epoll server listening on {}", listener.local_addr()?));
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
    let mut server = Server {
        epoll,
        listener: Some(listener),
        accepting: true,
        backoff: None,
        signals,
        connections: HashMap::new(),
        max_connections: max_connections.unwrap_or(u64::MAX) as usize,
        idle_timeout,
    };
    Ok(server.run()?)
}

/// The number after `name` on the command line.
fn option(name: &str) -> Result<Option<u64>, Box<dyn Error>> {
    let mut arguments = env::args().skip_while(|argument| argument != name);
    let Some(_) = arguments.next() else { return Ok(None) };
    let value = arguments.next().unwrap_or_default();
    Ok(Some(value.parse().map_err(|_| format!("{name} takes a number"))?))
}

/// `socket`, `setsockopt`, `bind`, `listen`: see chapter 01.
fn listen(port: u16) -> io::Result<TcpListener> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let fd =
        socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    socket::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    socket::bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port))?;
    socket::listen(&fd, Backlog::new(BACKLOG)?)?;
    let listener = TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// SIGINT and SIGTERM, to be read from a descriptor. `man 2 signalfd`.
fn signals() -> io::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGINT);
    mask.add(Signal::SIGTERM);
    mask.thread_block()?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&mask, flags)?)
}

struct Server {
    epoll: Epoll,
    /// `None` while we shut down.
    listener: Option<TcpListener>,
    /// The listener is registered for EPOLLIN.
    accepting: bool,
    /// After EMFILE: when to accept again.
    backoff: Option<Instant>,
    signals: SignalFd,
    connections: HashMap<RawFd, Connection>,
    max_connections: usize,
    idle_timeout: Option<Duration>,
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 1_024];
        while self.listener.is_some() || !self.connections.is_empty() {
            let count = match self.epoll.wait(&mut events, self.timeout()) {
                Err(Errno::EINTR) => 0, // after Ctrl-Z and fg
                result => result?,
            };
            for event in &events[..count] {
                match event.data() {
                    LISTENER => self.accept(),
                    SIGNALS => self.shut_down(),
                    fd => self.serve(fd as RawFd),
                }
            }
            self.drain_idle();
            self.close_overdue();
            self.register_listener()?;
        }
        Ok(())
    }

    fn timeout(&self) -> EpollTimeout {
        if self.listener.is_none()
            || self.backoff.is_some()
            || self.idle_timeout.is_some()
        {
            TICK.into()
        } else {
            EpollTimeout::NONE
        }
    }

    fn accept(&mut self) {
        while self.connections.len() < self.max_connections
            && let Some(listener) = &self.listener
        {
            match listener.accept() {
                Ok((socket, peer)) => self.open(socket, peer),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return self.back_off(&error),
            }
        }
    }

    fn open(&mut self, socket: TcpStream, peer: SocketAddr) {
        log(&format!("[*] client connected: {peer}"));
        self.backoff = None;
        let fd = socket.as_raw_fd();
        let event = EpollEvent::new(EpollFlags::EPOLLIN, fd as u64);
        let registered = socket
            .set_nonblocking(true)
            .and_then(|()| Ok(self.epoll.add(&socket, event)?));
        match registered {
            Ok(()) => {
                drop(self.connections.insert(fd, Connection::new(socket)))
            }
            Err(error) => log_error(&format!("[!] epoll failed: {error}")),
        }
    }

    /// EMFILE, and the client stays in the queue: level-triggered would report
    /// the listener again at once, and again.
    fn back_off(&mut self, error: &io::Error) {
        if self.backoff.is_none() {
            log_error(&format!("[!] accept failed: {error}"));
        }
        self.backoff = Some(Instant::now() + BACKOFF);
    }

    fn register_listener(&mut self) -> io::Result<()> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let accepting = self.backoff.is_none_or(|end| end <= Instant::now())
            && self.connections.len() < self.max_connections;
        if accepting == self.accepting {
            return Ok(());
        }
        self.accepting = accepting;
        let none = EpollFlags::empty();
        let interest = if accepting { EpollFlags::EPOLLIN } else { none };
        let mut event = EpollEvent::new(interest, LISTENER);
        Ok(self.epoll.modify(listener, &mut event)?)
    }

    fn serve(&mut self, fd: RawFd) {
        let Some(connection) = self.connections.get_mut(&fd) else { return };
        let result = connection.advance().and_then(|()| {
            let mut event = EpollEvent::new(connection.interest(), fd as u64);
            Ok(self.epoll.modify(&connection.socket, &mut event)?)
        });
        match result {
            Ok(()) if !connection.is_finished() => return,
            Ok(()) => {}
            Err(error) => log_error(&format!("[!] connection lost: {error}")),
        }
        self.connections.remove(&fd); // close(2), which also unregisters it
        log(&format!("[*] connection ended (fd={fd})"));
    }

    fn shut_down(&mut self) {
        let Ok(Some(signal)) = self.signals.read_signal() else { return };
        let number = signal.ssi_signo;
        log(&format!("\n[*] received signal {number}, shutting down"));
        self.listener = None; // close(2): further clients are refused
        for fd in self.fds() {
            self.drain(fd);
        }
    }

    /// Answers what has arrived, and then ends the connection.
    fn drain(&mut self, fd: RawFd) {
        for _ in 0..DRAIN_READS {
            self.serve(fd);
        }
        if let Some(connection) = self.connections.get_mut(&fd) {
            let deadline = Instant::now() + DRAIN_TIMEOUT;
            connection.drain_deadline.get_or_insert(deadline);
            self.serve(fd);
        }
    }

    fn close_overdue(&mut self) {
        let now = Instant::now();
        self.connections.retain(|_, connection| {
            connection.drain_deadline.is_none_or(|deadline| now < deadline)
        });
    }

    fn drain_idle(&mut self) {
        for fd in self.fds() {
            if self.is_idle(fd) {
                self.serve(fd); // it may have sent while we were stopped
            }
            if self.is_idle(fd) {
                self.drain(fd);
            }
        }
    }

    fn is_idle(&self, fd: RawFd) -> bool {
        let connection = self.connections.get(&fd);
        connection.zip(self.idle_timeout).is_some_and(|(c, timeout)| {
            c.drain_deadline.is_none() && c.last_active.elapsed() >= timeout
        })
    }

    fn fds(&self) -> Vec<RawFd> {
        self.connections.keys().copied().collect()
    }
}

struct Connection {
    socket: TcpStream,
    conversation: Conversation,
    /// Replies that the kernel has not taken yet.
    outbox: Vec<u8>,
    /// The peer's FIN has come.
    ended: bool,
    /// We are ending the connection, and close it then at the latest.
    drain_deadline: Option<Instant>,
    /// When bytes last came in or went out.
    last_active: Instant,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            conversation: Conversation::default(),
            outbox: Vec::new(),
            ended: false,
            drain_deadline: None,
            last_active: Instant::now(),
        }
    }

    /// What to wait for follows from the state.
    fn interest(&self) -> EpollFlags {
        let mut interest = EpollFlags::empty();
        interest.set(EpollFlags::EPOLLIN, self.is_readable());
        interest.set(EpollFlags::EPOLLOUT, !self.outbox.is_empty());
        interest
    }

    fn is_readable(&self) -> bool {
        let room = self.outbox.len() <= OUTBOX_LIMIT;
        !self.ended && (room || self.drain_deadline.is_some())
    }

    fn is_finished(&self) -> bool {
        self.ended && self.outbox.is_empty()
    }

    /// Does what can be done without waiting.
    fn advance(&mut self) -> io::Result<()> {
        self.flush()?;
        if self.is_readable() {
            self.receive()?;
        }
        self.flush()?;
        let draining = self.drain_deadline.is_some() && !self.ended;
        if draining && self.outbox.is_empty() {
            // To close now would answer the client's next bytes with a reset,
            // which throws away replies: send our FIN, and wait for the peer's.
            self.socket.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        let count = match self.socket.read(&mut buffer) {
            Err(error) if would_block(&error) => return Ok(()),
            result => result?,
        };
        self.ended = count == 0;
        if self.drain_deadline.is_some() {
            return Ok(()); // too late for a reply
        }
        self.last_active = Instant::now();
        self.conversation.feed(&buffer[..count], &mut self.outbox);
        if self.ended {
            self.conversation.finish(&mut self.outbox);
        }
        Ok(())
    }

    /// Sends what the kernel takes. EPOLLOUT says when it takes more.
    fn flush(&mut self) -> io::Result<()> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let count = match self.socket.write(&self.outbox) {
            Err(error) if would_block(&error) => return Ok(()),
            result => result?,
        };
        self.outbox.drain(..count);
        self.last_active = Instant::now();
        Ok(())
    }
}

/// Not now. After EINTR neither: level-triggered reports it again.
fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// One client's side of the protocol: bytes in, replies out.
#[derive(Default)]
struct Conversation {
    /// The line so far.
    line: Vec<u8>,
    /// It was too long, and the rest of it is still coming.
    discarding: bool,
}

impl Conversation {
    fn feed(&mut self, input: &[u8], replies: &mut Vec<u8>) {
        for &byte in input {
            if byte == b'\n' {
                if !std::mem::take(&mut self.discarding) {
                    reply(text(&self.line), replies);
                }
                self.line.clear();
            } else if !self.discarding {
                self.line.push(byte);
                if text(&self.line).len() > MAX_LINE_LENGTH {
                    replies.extend(TOO_LONG.bytes());
                    self.line.clear();
                    self.discarding = true;
                }
            }
        }
    }

    /// The end of the input ends the last line, too.
    fn finish(&mut self, replies: &mut Vec<u8>) {
        if !self.line.is_empty() {
            self.feed(b"\n", replies);
        }
    }
}

/// The line without the `\r` that telnet sends before the `\n`.
fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn reply(line: &[u8], replies: &mut Vec<u8>) {
    log(&format!("[*] received: {}", printable(line)));
    let reply = if line.eq_ignore_ascii_case(b"ping") {
        b"pong\n".to_vec()
    } else {
        ["受信しました: ".as_bytes(), line, b"\n"].concat()
    };
    log(&format!("[*] sent: {}", printable(reply.trim_ascii_end())));
    replies.extend(reply);
}

/// For a terminal, which a client must not control. At most 4,000 bytes.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().take(1_000).collect()
}

fn log(line: &str) {
    print(io::stdout().lock(), line);
}

fn log_error(line: &str) {
    print(io::stderr().lock(), line);
}

/// Prints `line`, or drops it where that would have to wait: a pipe that is
/// writable takes 4,096 bytes at once. `man 7 pipe`.
fn print(output: impl AsFd, line: &str) {
    let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0) {
        let _ = nix::unistd::write(&output, format!("{line}\n").as_bytes());
    }
}
