//! From a command line to a server that listens.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::deadline::poll_until;
use crate::stderr::message;
use crate::{CaseError, CaseResult, Process, Server, shown};

/// Stands for the port in a command line.
pub(crate) const PORT: &str = "{port}";
/// How often to try with another port when somebody took the one we chose.
const TRIES: usize = 3;
/// How long to wait for the last words of a server that has ended.
const BRIEFLY: Duration = Duration::from_millis(200);

/// What becomes of the server's stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StdoutReader {
    /// All of it is read.
    #[default]
    Prompt,
    /// Its reader goes away after the first line: EPIPE, as in `| head -1`.
    Leaves,
    /// Nobody reads on after the first line, and the pipe fills up: `| less`.
    Stalls,
    /// It takes a page now and then, later than any timeout lasts, and at some
    /// time nothing more.
    Slow,
    /// It is closed from the start, as with `>&-`.
    Absent,
}

/// A command line that starts a server.
#[derive(Clone, Debug)]
pub struct Launch {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(&'static str, &'static str)>,
    /// Started on port 0, it prints its address at the end of its first line.
    announces: bool,
    reader: StdoutReader,
    open_files: Option<u32>,
}

impl Launch {
    /// A server that says in its first line where it listens. One of `args`
    /// contains `{port}`.
    pub fn program(program: impl AsRef<OsStr>, args: &[&str]) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: args.iter().map(OsString::from).collect(),
            env: Vec::new(),
            announces: true,
            reader: StdoutReader::default(),
            open_files: None,
        }
    }

    /// A server of which nothing is known but how to start it: a program and
    /// its arguments as a shell reads them, `{port}` among them.
    #[must_use]
    pub fn shell(command: &str) -> Self {
        // `exec`, so that signals reach the server and not the shell.
        let script = format!("exec {command} \"$@\"");
        let launch = Self::program("sh", &["-c", &script, "sh"]);
        Self { announces: false, ..launch }
    }

    /// With further arguments at the end.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    /// With a variable of the environment set; an empty value counts.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// With this reader of its stdout.
    #[must_use]
    pub fn reader(mut self, reader: StdoutReader) -> Self {
        self.reader = reader;
        self
    }

    /// With room for so many descriptors: `ulimit -n`.
    #[must_use]
    pub fn open_files(mut self, limit: Option<u32>) -> Self {
        self.open_files = limit;
        self
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, ends early, or does not listen in time.
    pub fn start(&self, timeout: Duration) -> Result<Server, CaseError> {
        let (process, address) = if self.announces_now() {
            let process = self.spawn(0)?;
            let address = announced(&process, timeout)?;
            (process, address)
        } else {
            self.start_on_some_port(timeout)?
        };
        Ok(Server::ours(address, timeout, process, self.clone()))
    }

    /// Starts the server on `port`, and does not wait for anything.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self, port: u16) -> Result<Process, CaseError> {
        let filled = |argument: &OsString| match argument.to_str() {
            Some(text) => text.replace(PORT, &port.to_string()).into(),
            None => argument.clone(),
        };
        let mut command = match self.script() {
            None => Command::new(&self.program),
            Some(script) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &script]).arg(&self.program);
                shell
            }
        };
        command.args(self.args.iter().map(filled));
        // The tests expect English, whatever the reader's own language is.
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(name);
        }
        command.envs(self.env.iter().copied());
        Process::start(command, self.reader)
    }

    /// What only a shell can do between `fork` and `exec`.
    fn script(&self) -> Option<String> {
        let closed = self.reader == StdoutReader::Absent;
        if !closed && self.open_files.is_none() {
            return None;
        }
        let redirection = if closed { ">&-" } else { "" };
        let limit = self.open_files.map(|n| format!("ulimit -n {n} && "));
        let limit = limit.unwrap_or_default();
        Some(format!("{limit}exec \"$0\" \"$@\" {redirection}"))
    }

    fn announces_now(&self) -> bool {
        self.announces && self.reader != StdoutReader::Absent
    }

    fn start_on_some_port(
        &self,
        timeout: Duration,
    ) -> Result<(Process, SocketAddr), CaseError> {
        let mut tried = 1;
        loop {
            let port = free_port()?;
            let process = self.spawn(port)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listening = wait_until_it_listens(&process, address, timeout);
            // Between our choice and its `bind` the port can become another's.
            let early = listening.is_err() && process.ended()?.is_some();
            if early && tried < TRIES {
                tried += 1;
                continue;
            }
            return listening.map(|()| (process, address));
        }
    }
}

/// The address at the end of the first line.
fn announced(
    process: &Process,
    timeout: Duration,
) -> Result<SocketAddr, CaseError> {
    let line = process.stdout.first_line(timeout);
    let word = line.split_whitespace().next_back().unwrap_or_default();
    word.parse().map_err(|_| {
        CaseError::new("the server does not say where it listens")
            .expected("a first line that ends with its address")
            .came(shown(line.as_bytes()))
            .with(
                "stderr",
                message(&process.stderr.wait_for(BRIEFLY, |_| false)),
            )
    })
}

/// Knocks until somebody opens: a server of which we know nothing else tells
/// in no other way that it is ready.
fn wait_until_it_listens(
    process: &Process,
    address: SocketAddr,
    timeout: Duration,
) -> CaseResult {
    let opened = poll_until(timeout, || {
        if let Some(status) = process.ended()? {
            let stderr = process.stderr.wait_for(BRIEFLY, |_| false);
            let problem =
                format!("the server ended before it listened: {status}");
            return Err(
                CaseError::new(problem).with("stderr", message(&stderr))
            );
        }
        Ok(TcpStream::connect(address).ok().filter(is_to_another))
    })?;
    opened.map(drop).ok_or_else(|| {
        CaseError::new(
            "the server does not listen on the port that it was given",
        )
        .expected(format!("a listener on {address}"))
    })
}

/// A connection to a port from that same port reaches itself, with no listener
/// at all: TCP allows two ends to open at the same time.
fn is_to_another(stream: &TcpStream) -> bool {
    stream.local_addr().ok() != stream.peer_addr().ok()
}

fn free_port() -> Result<u16, CaseError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(CaseError::of("no free port"))
}
