//! Servers to test the client against: a real one, and bad ones.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket,
};
use nix::unistd::Pid;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Step 02's server in a process of its own, which ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::on("127.0.0.1")
    }

    pub(crate) fn on(host: &str) -> Self {
        let program = std::env::current_exe().expect("this program's path");
        let mut child = Command::new(program)
            .args(["serve", "--quiet", "--port", "0", "--host", host])
            .env("LC_ALL", "C")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, first_line) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            let _ = sender.send(lines.next());
            lines.for_each(drop);
        });
        // From here on dropping it ends the child.
        let mut server = Self { child, port: 0 };
        let line = first_line.recv_timeout(TIMEOUT).expect("a first line");
        let line = line.expect("a server that listens").expect("UTF-8");
        let (_, port) = line.rsplit_once(':').expect("an address");
        server.port = port.parse().expect("a port");
        server
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("a signal to our child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server in a thread that does `behave` to each connection, in a thread per
/// connection. It ends with the test program.
pub(crate) struct Rogue {
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Rogue {
    pub(crate) fn start(
        behave: impl Fn(TcpStream) + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, SeqCst);
                let behave = behave.clone();
                thread::spawn(move || behave(stream));
            }
        });
        Self { port, accepted }
    }

    /// A server that reads a line and sends back `pieces`, one by one with a
    /// pause between, and closes when the client does.
    pub(crate) fn sends(pieces: &'static [&[u8]], pause: Duration) -> Self {
        Self::start(move |mut stream| {
            read_line(&mut stream);
            let _ = stream.set_nodelay(true);
            for (number, piece) in pieces.iter().enumerate() {
                if number > 0 {
                    thread::sleep(pause);
                }
                let _ = stream.write_all(piece);
            }
            until_closed(&mut stream);
        })
    }

    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(SeqCst)
    }
}

/// Reads up to the first newline.
pub(crate) fn read_line(stream: &mut TcpStream) -> Vec<u8> {
    let mut line = Vec::new();
    let mut byte = [0];
    while matches!(stream.read(&mut byte), Ok(1)) {
        line.push(byte[0]);
        if byte == *b"\n" {
            break;
        }
    }
    line
}

pub(crate) fn until_closed(stream: &mut TcpStream) {
    let _ = std::io::copy(stream, &mut std::io::sink());
}

/// A port on which nothing listens, and on which nothing can while the socket
/// lives: it is bound, and that is all.
pub(crate) fn deaf_port() -> (OwnedFd, u16) {
    let family = AddressFamily::Inet;
    let socket = socket(family, SockType::Stream, SockFlag::empty(), None)
        .expect("a socket");
    bind(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))
        .expect("a free port");
    let address: SockaddrIn =
        getsockname(socket.as_raw_fd()).expect("an address");
    (socket, address.port())
}

/// A listener whose accept queue is full: the SYN of the next client is
/// dropped.
pub(crate) fn full_queue() -> (OwnedFd, TcpStream, u16) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // The kernel lets one more in than it was told.
    let listener = blocking::listen(any, 0).expect("a listener");
    let address = blocking::local_address(&listener).expect("an address");
    let first = TcpStream::connect(address).expect("room for one");
    (listener, first, address.port())
}
