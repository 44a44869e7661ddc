//! A server in a process of its own: started, watched, paused, ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::time::ClockId;
use nix::unistd::Pid;

use crate::kernel::value_of;
use crate::serve::Who;
use crate::trouble::Trouble;

/// This very program, even if it has been built anew in the meantime.
pub(crate) const MYSELF: &str = "/proc/self/exe";

/// This program, to be run as `command`: see [`crate::serve`]. The kernel ends
/// it when we end, however that comes about.
pub(crate) fn myself(command: &str) -> Command {
    let mut child = Command::new(MYSELF);
    child.args([command, "--parent", &Pid::this().to_string()]);
    child.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    child
}

/// A server's process, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// It ended first.
    pub(crate) fn start(who: Who) -> Result<Self, Trouble> {
        Self::start_with(who, &[])
    }

    /// The same with options: see [`crate::serve::Serve`].
    ///
    /// # Errors
    /// As [`start`](Self::start).
    // ANCHOR: start
    pub(crate) fn start_with(
        who: Who,
        options: &[&str],
    ) -> Result<Self, Trouble> {
        let name = who.to_possible_value();
        let name = name.as_ref().map_or("", |value| value.get_name());
        let mut command = myself("serve");
        command.arg(name).args(options).arg0(name);
        if options.contains(&"--complain") {
            command.stderr(Stdio::piped());
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Trouble::while_doing(name))?;
        let stdout = child.stdout.take();
        // From here on dropping it ends the child.
        let mut server = Self { child, address: ([0; 4], 0).into() };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        server.address = line
            .split_whitespace()
            .next_back()
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| Trouble::Failed(format!("{name}: no server")))?;
        Ok(server)
    }
    // ANCHOR_END: start

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// What it complains of, where it was started with `--complain`.
    pub(crate) fn complaints(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Stops it, as the scheduler, a page fault or a garbage collector would.
    /// It stands still when this returns.
    ///
    /// # Errors
    /// It has ended.
    // ANCHOR: pause
    pub(crate) fn pause(&self) -> Result<(), Errno> {
        kill(self.pid(), Signal::SIGSTOP)?;
        waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED)).map(drop)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn resume(&self) -> Result<(), Errno> {
        kill(self.pid(), Signal::SIGCONT)
    }
    // ANCHOR_END: pause

    /// CPU time that all its threads have used. `man 3 clock_getcpuclockid`.
    pub(crate) fn cpu_time(&self) -> Duration {
        ClockId::pid_cpu_clock_id(self.pid())
            .and_then(ClockId::now)
            .map_or(Duration::ZERO, Duration::from)
    }

    /// Waits until it has nothing left to do, or waits itself; two seconds at
    /// the most.
    pub(crate) fn wait_until_idle(&self) {
        let look = Duration::from_millis(50);
        for _ in 0..40 {
            let before = self.cpu_time();
            thread::sleep(look);
            if self.cpu_time() - before < look / 50 {
                return;
            }
        }
    }

    /// A value of `/proc/PID/status`: `VmRSS` in bytes, `Threads`.
    pub(crate) fn status(&self, key: &str) -> u64 {
        value_of(&format!("/proc/{}/status", self.pid()), key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL ends one that is stopped, too.
        let _ = self.child.kill();
        // Without this the process would stay in the table as a zombie.
        let _ = self.child.wait();
    }
}
