//! Stage 1 of step 04: all clients get in, and no client ends the server.

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
    connections: HashMap<RawFd, TcpStream>,
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
            Ok(()) => drop(self.connections.insert(fd, socket)),
            Err(error) => eprintln!("[!] epoll failed: {error}"),
        }
    }

    fn serve(&mut self, fd: RawFd) {
        let Some(socket) = self.connections.get_mut(&fd) else { return };
        match receive(socket) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => eprintln!("[!] connection lost: {error}"),
        }
        self.connections.remove(&fd); // close(2), which also unregisters it
        println!("[*] connection ended (fd={fd})");
    }
}

/// Whether the connection goes on.
fn receive(socket: &mut TcpStream) -> io::Result<bool> {
    let mut buffer = [0; 1_024];
    let count = match socket.read(&mut buffer) {
        Err(error) if would_block(&error) => return Ok(true),
        result => result?,
    };
    if count > 0 {
        socket.write_all(reply(&buffer[..count]).as_bytes())?;
    }
    Ok(count > 0)
}

/// Not now. After EINTR neither: level-triggered reports it again.
fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// What one `recv` brought is one message, up to its first line end.
fn reply(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    println!("[*] received: {line}");
    let reply = if line.eq_ignore_ascii_case("ping") {
        String::from("pong\n")
    } else {
        format!("受信しました: {line}\n")
    };
    print!("[*] sent: {reply}");
    reply
}
