//! Stage 2 of step 01, lines: each client has a buffer for the line that is
//! still coming, and bytes are bytes.

use std::env;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{self, AddressFamily, Backlog, SockaddrIn};
use nix::sys::socket::{SockFlag, SockType, sockopt};

const BACKLOG: i32 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).unwrap_or("8888".into()).parse()?;
    let listener = listen(port)?;
    println!("[*] listening on {}", listener.local_addr()?);
    loop {
        let result = listener.accept().map(|(socket, peer)| {
            println!("[*] client connected: {peer}");
            serve_client(&socket);
        });
        if let Err(error) = result {
            eprintln!("[!] accept failed: {error}");
        }
    }
}

/// `socket`, `setsockopt`, `bind`, `listen`: see chapter 01.
fn listen(port: u16) -> io::Result<TcpListener> {
    let flags = SockFlag::empty();
    let fd =
        socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    socket::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    socket::bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port))?;
    socket::listen(&fd, Backlog::new(BACKLOG)?)?;
    Ok(TcpListener::from(fd))
}

fn serve_client(socket: &TcpStream) {
    match serve(socket) {
        Ok(()) => println!("[*] connection ended"),
        Err(error) => eprintln!("[!] connection lost: {error}"),
    }
}

fn serve(mut socket: &TcpStream) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut buffer = [0; 4_096];
    loop {
        let count = match socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        let mut replies = Vec::new();
        conversation.feed(&buffer[..count], &mut replies);
        socket.write_all(&replies)?;
        if count == 0 {
            return Ok(());
        }
    }
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
