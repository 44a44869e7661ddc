//! A server's process: started, ready, watched, ended.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use epoll::{Interest, Poller, Signals, Trigger};
use nix::sys::resource::{UsageWho, getrusage};

use super::affinity::Affinity;
use super::guard::{Guarded, guarded, reexec};
use super::target::{Target, TargetKind, announced_address};
use crate::error::Error;

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between two tries to connect to an external server.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);
/// So much of what a server has said on stderr is kept.
const STDERR_TAIL: usize = 1_000;

const INTERRUPT: u64 = 0;
const SERVER: u64 = 1;

/// A server's process, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Guarded,
    stderr: Option<StderrTail>,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `target` and waits until it listens.
    ///
    /// # Errors
    /// It ended, or did not listen in time; with what it said on stderr.
    // ANCHOR: start
    pub(crate) fn start(
        target: &Target,
        backlog: i32,
        affinity: &Affinity,
        interrupt: &Signals,
    ) -> Result<Self, Error> {
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (mut command, address) = match &target.kind {
            TargetKind::BuiltIn(built_in) => {
                let backlog = backlog.to_string();
                let name = built_in.name();
                let arguments = [
                    "serve",
                    name,
                    "--quiet",
                    "--port",
                    "0",
                    "--backlog",
                    &backlog,
                ];
                let mut command = reexec(&arguments);
                command.stdout(Stdio::piped());
                (command, unknown)
            }
            TargetKind::External(line) => external_command(line)?,
        };
        command.stderr(Stdio::piped());
        let mut process = affinity
            .with_server_cores(|| Guarded::spawn(&mut command))
            .map_err(|error| format!("could not be started: {error}"))?;
        let stderr = process.take_stderr().map(StderrTail::of);
        let mut server = Self { process, stderr, address };
        let started = match target.kind {
            TargetKind::BuiltIn(_) => server.read_address(interrupt),
            TargetKind::External(_) => server.wait_until_listening(interrupt),
        };
        match started {
            Ok(()) => Ok(server),
            Err(Error::Failed(reason)) => Err(server.explain(reason).into()),
            Err(interrupted) => Err(interrupted),
        }
    }
    // ANCHOR_END: start

    /// Our own servers say where they listen once they do.
    fn read_address(&mut self, interrupt: &Signals) -> Result<(), Error> {
        let Some(stdout) = self.process.take_stdout() else {
            return Err(String::from("has no stdout").into());
        };
        let mut poller = interruptible_poller(interrupt)?;
        poller.register(&stdout, SERVER, Interest::READABLE)?;
        let deadline = Instant::now() + START_TIMEOUT;
        // Ctrl-Z and `fg` end a wait as well.
        while !wait(&mut poller, interrupt, START_TIMEOUT)? {
            if Instant::now() > deadline {
                return Err(String::from("said nothing within 10 s").into());
            }
        }
        let mut line = String::new();
        // An error is a line without an address.
        let _ = BufReader::new(stdout).read_line(&mut line);
        self.address = announced_address(&line)
            .ok_or_else(|| String::from("did not listen"))?;
        Ok(())
    }

    /// To others we connect until one accepts.
    fn wait_until_listening(
        &mut self,
        interrupt: &Signals,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        let mut poller = interruptible_poller(interrupt)?;
        self.watch(&poller, SERVER)?;
        while TcpStream::connect_timeout(&self.address, START_TIMEOUT).is_err()
        {
            wait(&mut poller, interrupt, RETRY_INTERVAL)?;
            if Instant::now() > deadline || self.process.has_exited().is_some()
            {
                let reason = "did not listen on its port within 10 s";
                return Err(String::from(reason).into());
            }
        }
        Ok(())
    }

    /// How it ended, or else `reason`; and what it said last.
    fn explain(mut self, reason: String) -> String {
        let reason = self.process.has_exited().unwrap_or(reason);
        self.process.end();
        let said = self.stderr.take().map(StderrTail::finish);
        match said.as_deref().map(str::trim) {
            None | Some("") => reason,
            Some(said) => format!("{reason}; it said: {said}"),
        }
    }

    /// Makes `poller` report `token` when the server ends.
    pub(crate) fn watch(
        &self,
        poller: &Poller,
        token: u64,
    ) -> Result<(), Error> {
        if let Some(pipe) = self.process.exit_pipe() {
            // An end is reported unasked.
            let none = Interest { readable: false, writable: false };
            poller.register(pipe, token, none)?;
        }
        Ok(())
    }

    /// Ends the server and returns how often its threads, those that had
    /// ended among them, were taken from a core: the kernel adds that up for a
    /// parent when it waits for a child. `man 2 getrusage`.
    pub(crate) fn stop(self) -> u64 {
        let before = switches_of_children();
        drop(self);
        switches_of_children() - before
    }
}

/// Reads what a server says on stderr, so that it never waits for a reader,
/// and keeps the end of it.
#[derive(Debug)]
struct StderrTail {
    tail: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    fn of(mut pipe: ChildStderr) -> Self {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&tail);
        let reader = thread::spawn(move || {
            let mut buffer = [0; STDERR_TAIL];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let mut kept =
                    kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&buffer[..count]);
                let surplus = kept.len().saturating_sub(STDERR_TAIL);
                kept.drain(..surplus);
            }
        });
        Self { tail, reader }
    }

    /// To be called when all that could write has ended.
    fn finish(self) -> String {
        let _ = self.reader.join();
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).into_owned()
    }
}

fn switches_of_children() -> u64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| {
        let sum = usage.voluntary_context_switches()
            + usage.involuntary_context_switches();
        sum.cast_unsigned()
    })
}

fn interruptible_poller(interrupt: &Signals) -> Result<Poller, Error> {
    let poller = Poller::new(Trigger::Edge)?;
    poller.register(interrupt, INTERRUPT, Interest::READABLE)?;
    Ok(poller)
}

/// Returns whether there was an event before `timeout`.
fn wait(
    poller: &mut Poller,
    interrupt: &Signals,
    timeout: Duration,
) -> Result<bool, Error> {
    let mut events = Vec::new();
    poller.wait(&mut events, Some(timeout))?;
    match interrupt.read() {
        Some(_) => Err(Error::Interrupted),
        None => Ok(!events.is_empty()),
    }
}

/// The shell reads the line (quotes, variables), and `exec` puts the server in
/// the shell's place. It is to listen on the address that is returned.
fn external_command(line: &str) -> Result<(Command, SocketAddr), Error> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // A port that no socket has at this moment.
    let address = blocking::local_address(&blocking::listen(any, 0)?)?;
    let port = address.port().to_string();
    let line = format!("exec env {}", line.replace("{port}", &port));
    let mut command = guarded("sh", &["-c", &line]);
    command.env("PORT", port).stdout(Stdio::null());
    Ok((command, address))
}
