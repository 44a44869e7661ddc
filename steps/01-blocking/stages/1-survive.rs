//! Stage 1 of step 01: all clients get in, and no client ends the server.

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
    let mut buffer = [0; 1_024];
    loop {
        let count = match socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        if count == 0 {
            return Ok(());
        }
        socket.write_all(reply(&buffer[..count]).as_bytes())?;
    }
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
