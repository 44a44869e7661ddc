//! Stage 2 of step 04, lines: each client has a buffer for the line that is
//! still coming, and bytes are bytes.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::socket::{self, AddressFamily, Backlog, SockaddrIn};
use nix::sys::socket::{SockFlag, SockType, sockopt};

const BACKLOG: i32 = 4_096;
/// What the listener's events carry; those of a client carry its descriptor.
const LISTENER: u64 = u64::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).unwrap_or("8888".into()).parse()?;
    let listener = listen(port)?;
    println!("[*] epoll server listening on {}", listener.local_addr()?);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut server = Server { epoll, listener, connections: HashMap::new() };
    Ok(server.run()?)
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

struct Server {
    epoll: Epoll,
    listener: TcpListener,
    connections: HashMap<RawFd, Connection>,
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 1_024];
        loop {
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Err(Errno::EINTR) => 0, // after Ctrl-Z and fg
                result => result?,
            };
            for event in &events[..count] {
                match event.data() {
                    LISTENER => self.accept(),
                    fd => self.serve(fd as RawFd),
                }
            }
        }
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((socket, peer)) => self.open(socket, peer),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return eprintln!("[!] accept failed: {error}"),
            }
        }
    }

    fn open(&mut self, socket: TcpStream, peer: SocketAddr) {
        println!("[*] client connected: {peer}");
        let fd = socket.as_raw_fd();
        let event = EpollEvent::new(EpollFlags::EPOLLIN, fd as u64);
        let registered = socket
            .set_nonblocking(true)
            .and_then(|()| Ok(self.epoll.add(&socket, event)?));
        match registered {
            Ok(()) => {
                drop(self.connections.insert(fd, Connection::new(socket)))
            }
            Err(error) => eprintln!("[!] epoll failed: {error}"),
        }
    }

    fn serve(&mut self, fd: RawFd) {
        let Some(connection) = self.connections.get_mut(&fd) else { return };
        match connection.receive() {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => eprintln!("[!] connection lost: {error}"),
        }
        self.connections.remove(&fd); // close(2), which also unregisters it
        println!("[*] connection ended (fd={fd})");
    }
}

struct Connection {
    socket: TcpStream,
    conversation: Conversation,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        Self { socket, conversation: Conversation::default() }
    }

    /// Whether the connection goes on.
    fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4_096];
        let count = match self.socket.read(&mut buffer) {
            Err(error) if would_block(&error) => return Ok(true),
            result => result?,
        };
        let mut replies = Vec::new();
        self.conversation.feed(&buffer[..count], &mut replies);
        self.socket.write_all(&replies)?;
        Ok(count > 0)
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
}

impl Conversation {
    fn feed(&mut self, input: &[u8], replies: &mut Vec<u8>) {
        for &byte in input {
            if byte == b'\n' {
                reply(text(&self.line), replies);
                self.line.clear();
            } else {
                self.line.push(byte);
            }
        }
    }
}

/// The line without the `\r` that telnet sends before the `\n`.
fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn reply(line: &[u8], replies: &mut Vec<u8>) {
    println!("[*] received: {}", printable(line));
    let reply = if line.eq_ignore_ascii_case(b"ping") {
        b"pong\n".to_vec()
    } else {
        ["受信しました: ".as_bytes(), line, b"\n"].concat()
    };
    println!("[*] sent: {}", printable(reply.trim_ascii_end()));
    replies.extend(reply);
}

/// For a terminal, which a client must not control.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().collect()
}
