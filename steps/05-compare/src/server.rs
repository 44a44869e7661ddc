//! A contestant that runs: started, ready, watched, ended.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use epoll::{Event, Interest, Poller, Signals, Trigger};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::contestant::{Contestant, Kind, announced_address};
use crate::cores::Cores;
use crate::trouble::Trouble;

/// This very program, even if it has been built anew in the meantime.
const MYSELF: &str = "/proc/self/exe";
/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two looks at whether an external server listens.
const PAUSE: Duration = Duration::from_millis(5);

const INTERRUPT: u64 = 0;
const SERVER: u64 = 1;

/// A server's process, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Never written to. The kernel reports the pipe's end when the process
    /// ends: so the loop that waits for sockets also waits for that.
    lifeline: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `contestant` and waits until it listens.
    ///
    /// # Errors
    /// It ended, or did not listen in time.
    // ANCHOR: start
    pub(crate) fn start(
        contestant: &Contestant,
        backlog: i32,
        cores: Cores,
        interrupt: &Signals,
    ) -> Result<Self, Trouble> {
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (mut command, address) = match &contestant.kind {
            Kind::Own(own) => (own_command(own.name(), backlog), unknown),
            Kind::External(line) => {
                let address = free_address()?;
                (external_command(line, address), address)
            }
        };
        // A group of its own: Ctrl-C in the terminal is for us.
        command.arg0(&contestant.name).stdin(Stdio::piped()).process_group(0);
        let mut child = cores
            .for_server(|| command.spawn())
            .map_err(|error| format!("could not be started: {error}"))?;
        let lifeline = child.stdin.take();
        let mut server = Self { child, lifeline, address };
        match contestant.kind {
            Kind::Own(_) => server.read_address(interrupt)?,
            Kind::External(_) => server.wait_until_it_listens(interrupt)?,
        }
        Ok(server)
    }
    // ANCHOR_END: start

    /// Our own servers say where they listen once they do.
    fn read_address(&mut self, interrupt: &Signals) -> Result<(), Trouble> {
        let Some(stdout) = self.child.stdout.take() else {
            return Err(String::from("has no stdout").into());
        };
        let mut poller = interruptible_poller(interrupt)?;
        poller.register(&stdout, SERVER, Interest::READABLE)?;
        let deadline = Instant::now() + PATIENCE;
        // Ctrl-Z and `fg` end a wait as well.
        while !wait(&mut poller, interrupt, PATIENCE)? {
            if Instant::now() > deadline {
                return Err(String::from("said nothing within 10 s").into());
            }
        }
        let mut line = String::new();
        // An error is a line that tells no address.
        let _ = BufReader::new(stdout).read_line(&mut line);
        self.address = announced_address(&line)
            .ok_or_else(|| self.ended_or(String::from("did not listen")))?;
        Ok(())
    }

    /// Others are asked until they answer.
    fn wait_until_it_listens(
        &mut self,
        interrupt: &Signals,
    ) -> Result<(), Trouble> {
        let deadline = Instant::now() + PATIENCE;
        let mut poller = interruptible_poller(interrupt)?;
        self.watch(&poller, SERVER)?;
        while TcpStream::connect_timeout(&self.address, PATIENCE).is_err() {
            wait(&mut poller, interrupt, PAUSE)?;
            let late = Instant::now() > deadline;
            if late || self.end().is_some() {
                let reason = "did not listen on its port within 10 s";
                return Err(self.ended_or(reason.into()).into());
            }
        }
        Ok(())
    }

    /// Makes `poller` report `token` when the server ends.
    pub(crate) fn watch(
        &self,
        poller: &Poller,
        token: u64,
    ) -> Result<(), Trouble> {
        if let Some(pipe) = &self.lifeline {
            // An end is reported unasked.
            let nothing = Interest { readable: false, writable: false };
            poller.register(pipe, token, nothing)?;
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// How the server ended, if it has. That leaves it in the table of
    /// processes (WNOWAIT): as long as it is there nobody else gets its number,
    /// and its group can be ended by that. `man 2 waitid`.
    pub(crate) fn end(&self) -> Option<String> {
        let flags =
            WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.pid()), flags) {
            Ok(WaitStatus::Exited(_, code)) => {
                Some(format!("the server ended: exit status {code}"))
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                Some(format!("the server ended: {signal}"))
            }
            _ => None,
        }
    }

    fn ended_or(&self, reason: String) -> String {
        self.end().unwrap_or(reason)
    }
}

impl Server {
    /// Ends the server and returns how often its threads, those that had
    /// ended among them, were taken from a core: the kernel adds that up for a
    /// parent when it waits for a child. `man 2 getrusage`.
    pub(crate) fn stop(self) -> u64 {
        let before = switches_of_children();
        drop(self);
        switches_of_children() - before
    }
}

fn switches_of_children() -> u64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| {
        let sum = usage.voluntary_context_switches()
            + usage.involuntary_context_switches();
        sum.cast_unsigned()
    })
}

// ANCHOR: drop
impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: an external command may have children.
        let _ = killpg(self.pid(), Signal::SIGKILL);
        // Without this the process would stay in the table as a zombie.
        let _ = self.child.wait();
    }
}
// ANCHOR_END: drop

fn interruptible_poller(interrupt: &Signals) -> Result<Poller, Trouble> {
    let poller = Poller::new(Trigger::Edge)?;
    poller.register(interrupt, INTERRUPT, Interest::READABLE)?;
    Ok(poller)
}

/// Says whether there was an event before `patience` ended.
fn wait(
    poller: &mut Poller,
    interrupt: &Signals,
    patience: Duration,
) -> Result<bool, Trouble> {
    let mut events: Vec<Event> = Vec::new();
    poller.wait(&mut events, Some(patience))?;
    match interrupt.read() {
        Some(_) => Err(Trouble::Interrupted),
        None => Ok(!events.is_empty()),
    }
}

fn myself(task: &str) -> Command {
    let mut command = Command::new(MYSELF);
    command.args([task, "--parent", &Pid::this().to_string()]);
    command
}

fn own_command(name: &str, backlog: i32) -> Command {
    let mut command = myself("serve");
    command.args([name, "--backlog", &backlog.to_string()]);
    command.stdout(Stdio::piped());
    command
}

/// The shell reads the line (quotes, variables), and `exec` puts the server in
/// the shell's place: the process that we started is the one to measure.
fn external_command(line: &str, address: SocketAddr) -> Command {
    let port = address.port().to_string();
    let mut command = myself("serve-external");
    command.arg(line.replace("{port}", &port));
    command.env("PORT", port);
    command.stdout(Stdio::null());
    command.stderr(Stdio::null());
    command
}

/// A port that nobody has at this moment.
fn free_address() -> Result<SocketAddr, Trouble> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = blocking::listen(any, 0)?;
    Ok(blocking::local_address(&listener)?)
}
