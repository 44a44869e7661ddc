//! A server's process: started, ready, watched, ended.

use std::io::{self, Read, Write};
use std::iter;
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener};
use std::process::{ChildStderr, Command, Stdio};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use epoll::Signals;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::socket::{SockaddrIn, bind};
use protocol::PONG;

use super::Target;
use super::affinity::Affinity;
use super::guard::{Guarded, guarded};
use crate::error::Error;

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for replies that were not asked for.
const EXTRA_TIMEOUT: Duration = Duration::from_millis(500);
/// The pause between two tries to connect.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);
/// So much of what a server has said on stderr is kept.
const STDERR_TAIL: usize = 1_000;

/// A server's process, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Guarded,
    stderr: Option<JoinHandle<String>>,
    pub(crate) address: SocketAddrV4,
    /// Keeps its port.
    _reserved: UnixListener,
}

impl Server {
    /// Starts `target` and connects until it accepts. Ctrl-C and the server's
    /// end cut the wait short. An error has what it said on stderr.
    pub(crate) fn start(
        target: &Target,
        affinity: &Affinity,
        interrupt: &Signals,
    ) -> Result<Self, Error> {
        // What fails before the server runs says nothing about it.
        let free = free_address();
        let (address, reserved) =
            free.ok_or(Error::ours("there is no free port"))?;
        let mut command = command(&target.command, address.port());
        let mut process = affinity
            .with_server_cores(|| Guarded::spawn(&mut command))
            .map_err(Error::ours)?;
        // `thread::spawn` would panic where there can be no other thread.
        let reader = |pipe| Builder::new().spawn(move || tail(pipe));
        let stderr = process.take_stderr().map(reader).transpose();
        let stderr = stderr.map_err(Error::ours)?;
        let server = Self { process, stderr, address, _reserved: reserved };
        match server.wait_until_listening(interrupt) {
            Ok(()) => Ok(server),
            Err(Error::Failed(reason)) => {
                Err(Error::Failed(server.explain(reason)))
            }
            Err(interrupted) => Err(interrupted),
        }
    }

    fn wait_until_listening(&self, interrupt: &Signals) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        let address = self.address.into();
        while TcpStream::connect_timeout(&address, START_TIMEOUT).is_err() {
            thread::sleep(RETRY_INTERVAL);
            if interrupt.read().is_some() {
                return Err(Error::Interrupted);
            }
            if Instant::now() > deadline || self.process.has_exited().is_some()
            {
                let reason = "did not listen on its port within 10 s";
                return Err(Error::Failed(reason.into()));
            }
        }
        Ok(())
    }

    /// How many replies come to one request, beyond the one to it: a client
    /// that closes at the first would take it for a quick one.
    pub(crate) fn extra_replies(&self) -> io::Result<u64> {
        let address = self.address.into();
        let mut client = TcpStream::connect_timeout(&address, EXTRA_TIMEOUT)?;
        client.set_read_timeout(Some(EXTRA_TIMEOUT))?;
        client.write_all(b"ping\n")?;
        client.shutdown(Shutdown::Write)?;
        let mut replies = Vec::new();
        // An error is the end, too: what came before it counts.
        let _ = client.take(4_096).read_to_end(&mut replies);
        let extra = replies.len().saturating_sub(PONG.len());
        Ok(extra.div_ceil(PONG.len()) as u64)
    }

    /// How it ended, or else `reason`; and what it said last.
    fn explain(mut self, reason: String) -> String {
        let reason = self.process.has_exited().unwrap_or(reason);
        // All that could write to stderr: so its reader ends, too.
        self.process.end();
        let said = self.stderr.take().and_then(|reader| reader.join().ok());
        match said.as_deref().map(str::trim) {
            None | Some("") => reason,
            Some(said) => format!("{reason}; it said: {said}"),
        }
    }

    /// Ends the server and returns how often its threads, those that had
    /// ended among them, were taken from a core: the kernel adds that up for a
    /// parent when it waits for a child. `man 2 getrusage`.
    pub(crate) fn stop(self) -> f64 {
        let before = switches_of_children();
        drop(self);
        (switches_of_children() - before) as f64
    }
}

/// Reads all of a server's stderr, so that it never waits, and keeps the end.
fn tail(mut pipe: ChildStderr) -> String {
    let (mut tail, mut buffer) = (Vec::new(), [0; STDERR_TAIL]);
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        tail.extend(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(STDERR_TAIL));
    }
    String::from_utf8_lossy(&tail).into_owned()
}

fn switches_of_children() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| {
        usage.voluntary_context_switches()
            + usage.involuntary_context_switches()
    })
}

/// The shell reads the line (quotes, variables), and `exec` puts the server in
/// the shell's place.
fn command(line: &str, port: u16) -> Command {
    let port = port.to_string();
    let line = format!("exec env {}", line.replace("{port}", &port));
    let mut command = guarded("sh", &["-c", &line]);
    command.env("PORT", port);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Of a port that no socket has at this moment, nor gets from the kernel
/// before the server asks for it: `man 7 ip`, `ip_local_port_range`. The name
/// keeps it from others like us: it belongs to one socket, as a port does.
/// `man 7 unix`, abstract names.
fn free_address() -> Option<(SocketAddrV4, UnixListener)> {
    let ports = iter::repeat_with(|| fastrand::u16(10_000..20_000));
    ports.take(1_000).find_map(|port| {
        let name = format!("05-compare, port {port}");
        let name = UnixAddress::from_abstract_name(name).ok()?;
        let reserved = UnixListener::bind_addr(&name).ok()?;
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        // It does not listen: what waits for a server would take it for one.
        let socket = blocking::stream_socket(address.into()).ok()?;
        bind(socket.as_raw_fd(), &SockaddrIn::from(address)).ok()?;
        Some((address, reserved))
    })
}
