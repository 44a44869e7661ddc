//! Stage 7 of step 01, the limits of the system: no free descriptor (EMFILE),
//! and a log that is not read.

use std::env;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{self, AddressFamily, Backlog, SockaddrIn};
use nix::sys::socket::{SockFlag, SockType, sockopt};
use nix::unistd;

const BACKLOG: i32 = 4_096;
/// Bytes of a line, its end not counted.
const MAX_LINE_LENGTH: usize = 1_000;
const TOO_LONG: &str = "エラー: 1行は1000バイトまでです\n";
/// How long a client may take to read its last replies.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Reads of what has arrived when we end a connection.
const DRAIN_READS: usize = 16;
/// How long not to accept after EMFILE.
const BACKOFF: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).unwrap_or("8888".into()).parse()?;
    let stop = stop_on_signal()?;
    let listener = listen(port)?;
    log(&format!("[*] listening on {}", listener.local_addr()?));
    let mut failed = false;
    while !wait(&listener, &stop)?.stop {
        let result = listener.accept().map(|(socket, peer)| {
            log(&format!("[*] client connected: {peer}"));
            serve_client(&socket, &stop);
        });
        match &result {
            Err(error) if !failed => {
                log_error(&format!("[!] accept failed: {error}"));
            }
            _ => {}
        }
        failed = result.is_err();
        if failed {
            thread::sleep(BACKOFF); // EMFILE, perhaps until a client leaves
        }
    }
    Ok(())
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

/// A pipe whose end comes with SIGINT or SIGTERM: something to wait for beside
/// a socket.
fn stop_on_signal() -> io::Result<OwnedFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGINT);
    mask.add(Signal::SIGTERM);
    mask.thread_block()?; // for the threads to come, too
    let (stop, sender) = unistd::pipe()?;
    thread::Builder::new().spawn(move || {
        if let Ok(signal) = mask.wait() {
            let number = signal as i32;
            log(&format!("\n[*] received signal {number}, shutting down"));
        }
        drop(sender);
        thread::sleep(DRAIN_TIMEOUT);
        process::exit(0); // a client that does not read holds up nothing
    })?;
    Ok(stop)
}

/// What there is to do.
struct Ready {
    input: bool,
    stop: bool,
}

/// Waits for `fd` or for the signal.
fn wait(fd: impl AsFd, stop: &OwnedFd) -> io::Result<Ready> {
    let wanted = PollFlags::POLLIN;
    let mut fds =
        [PollFd::new(fd.as_fd(), wanted), PollFd::new(stop.as_fd(), wanted)];
    while let Err(error) = poll(&mut fds, PollTimeout::NONE) {
        if error != Errno::EINTR {
            return Err(error.into());
        }
    }
    let [input, stop] = fds.map(|fd| fd.any() == Some(true));
    Ok(Ready { input, stop })
}

fn serve_client(socket: &TcpStream, stop: &OwnedFd) {
    match serve(socket, stop) {
        Ok(()) => log("[*] connection ended"),
        Err(error) => log_error(&format!("[!] connection lost: {error}")),
    }
}

fn serve(mut socket: &TcpStream, stop: &OwnedFd) -> io::Result<()> {
    let mut conversation = Conversation::default();
    let mut buffer = [0; 4_096];
    let mut drain_reads = 0;
    while drain_reads < DRAIN_READS {
        let ready = wait(socket, stop)?;
        if !ready.input {
            break; // stopped
        }
        drain_reads += usize::from(ready.stop);
        let count = match socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        let mut replies = Vec::new();
        conversation.feed(&buffer[..count], &mut replies);
        if count == 0 {
            conversation.finish(&mut replies);
        }
        socket.write_all(&replies)?;
        if count == 0 {
            return Ok(());
        }
    }
    // To close now would answer the client's next bytes with a reset, which
    // throws away replies: send our FIN, and wait for the peer's.
    socket.shutdown(Shutdown::Write)?;
    socket.set_read_timeout(Some(DRAIN_TIMEOUT))?;
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while Instant::now() < deadline && socket.read(&mut buffer)? > 0 {}
    Ok(())
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
        let _ = unistd::write(&output, format!("{line}\n").as_bytes());
    }
}
