//! From a command line to a process, and to a server that listens.

use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::time::Duration;

use crate::listening::{announced, on_some_port};
use crate::server::OwnServer;
use crate::{CaseError, Process, Server};

/// Stands for the port in a command line.
const PLACEHOLDER: &str = "{port}";
/// The variable of the environment that has the port as well.
pub(crate) const PORT: &str = "PORT";

/// What becomes of the server's stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StdoutReader {
    /// All of it is read.
    #[default]
    Prompt,
    /// Its reader goes away after the first line: EPIPE, as in `| head -1`.
    Leaves,
    /// Its reader stays and reads no more than the first line, and the pipe fills up: `| less`.
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
    /// Started with SIGINT and SIGTERM blocked.
    signals_blocked: bool,
}

/// Blocks the signals that end a server, and starts it. GNU coreutils 8.31.
const BLOCK_SIGNALS: [&str; 2] = ["env", "--block-signal=INT,TERM"];

/// Why no server can be started with signals blocked, if none can.
#[must_use]
pub fn blocking_signals_unavailable() -> Option<String> {
    let [tool, option] = BLOCK_SIGNALS;
    let output = Command::new(tool).args([option, "true"]).output();
    let there = output.is_ok_and(|output| output.status.success());
    (!there).then(|| format!("needs {tool} {option}"))
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
            signals_blocked: false,
        }
    }

    /// A server of which nothing is known but how to start it: what a reader
    /// would type at the prompt of a shell. The port stands for `{port}` in it,
    /// and in the variable `PORT`. Further arguments follow at its end.
    #[must_use]
    pub fn shell(command: &str) -> Self {
        let script = format!("{command} \"$@\"");
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

    /// With SIGINT and SIGTERM blocked, which it then inherits.
    #[must_use]
    pub fn signals_blocked(mut self, yes: bool) -> Self {
        self.signals_blocked = yes;
        self
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, ends early, or does not listen in time.
    pub fn start(&self, timeout: Duration) -> Result<Server, CaseError> {
        let (process, address, port) = if self.announces_now() {
            let process = self.spawn(0)?;
            let address = announced(&process, timeout)?;
            (process, address, None)
        } else {
            let (process, port) =
                on_some_port(|port| self.spawn(port), timeout)?;
            (process, port.address(), Some(port))
        };
        process.find_server()?;
        let launch = self.clone();
        let ours = OwnServer { process, launch, _port: port };
        Ok(Server::ours(address, timeout, ours))
    }

    /// Starts the server on `port`, and does not wait for anything.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self, port: u16) -> Result<Process, CaseError> {
        let filled = |argument: &OsString| match argument.to_str() {
            Some(text) => text.replace(PLACEHOLDER, &port.to_string()).into(),
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
        command.env(PORT, port.to_string());
        command.envs(self.env.iter().copied());
        Process::start(command, self.reader)
    }

    /// What only a shell can do between `fork` and `exec`.
    fn script(&self) -> Option<String> {
        let closed = self.reader == StdoutReader::Absent;
        if !closed && self.open_files.is_none() && !self.signals_blocked {
            return None;
        }
        let redirection = if closed { ">&-" } else { "" };
        let limit = self.open_files.map(|n| format!("ulimit -n {n} && "));
        let limit = limit.unwrap_or_default();
        let block = BLOCK_SIGNALS.join(" ");
        let block = if self.signals_blocked { &block } else { "" };
        Some(format!("{limit}exec {block} \"$0\" \"$@\" {redirection}"))
    }

    fn announces_now(&self) -> bool {
        self.announces && self.reader != StdoutReader::Absent
    }
}
