//! A server in a process of its own: started, watched, paused, ended.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStderr, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Error, Result, bail};
use compare::target::guard::{Guarded, guarded, reexec};
use compare::target::proc;
use compare::target::program_beside;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;
use procfs::process::{Process, Status, Task};

/// A port that the kernel chooses, for any server.
const LISTEN: [&str; 3] = ["--quiet", "--port", "0"];

/// A server's process, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Guarded,
    pid: Pid,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts the server that `serve` has by this name. For its options see
    /// [`crate::servers::Serve`].
    pub(crate) fn start(name: &str, options: &[&str]) -> Result<Self> {
        Self::spawn(&mut serve(name, options), name)
    }

    /// Starts a later step's program, which stands beside this one. Where it
    /// does not, the error says how to build it.
    pub(crate) fn start_beside(name: &str, options: &[&str]) -> Result<Self> {
        let program = program_beside(name).map_err(Error::msg)?;
        let arguments = [&LISTEN[..], options].concat();
        let program = program.to_string_lossy();
        Self::spawn(&mut guarded(&program, &arguments), name)
    }

    /// Starts a command that [`serve`] has made, and waits until it listens.
    pub(crate) fn spawn(command: &mut Command, name: &str) -> Result<Self> {
        command.env("LC_ALL", "C.UTF-8").stdout(Stdio::piped());
        // From here on dropping it ends the server.
        let mut process =
            Guarded::spawn(command).with_context(|| name.to_owned())?;
        let mut line = String::new();
        if let Some(stdout) = process.take_stdout() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        // The line ends with the address, in any language.
        let address = line.split_whitespace().next_back();
        let address = address.and_then(|address| address.parse().ok());
        let pid = process.pid();
        let (Some(address), Some(pid)) = (address, pid) else {
            bail!("{name}: no server");
        };
        Ok(Self { process, pid, address })
    }

    /// What it writes on stderr, where that is a pipe.
    pub(crate) fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.process.take_stderr()
    }

    /// Stops it, as the scheduler, a page fault or a garbage collector would.
    /// It stands still when this returns.
    pub(crate) fn pause(&self) -> Result<(), Errno> {
        kill(self.pid, Signal::SIGSTOP)?;
        // It is another process's child: `waitpid` would not say so.
        while !threads(self.pid).all(|thread| is_stopped(&thread)) {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> Result<(), Errno> {
        kill(self.pid, Signal::SIGCONT)
    }

    /// CPU time that all its threads have used. `man 3 clock_getcpuclockid`.
    pub(crate) fn cpu_time(&self) -> Duration {
        ClockId::pid_cpu_clock_id(self.pid)
            .and_then(ClockId::now)
            .map_or(Duration::ZERO, Duration::from)
    }

    /// The same for each of them, by its number. `man 5 proc`, `schedstat`.
    pub(crate) fn threads_cpu_time(&self) -> HashMap<i32, Duration> {
        let cpu_time = |thread: Task| {
            let nanoseconds = thread.schedstat().ok()?.sum_exec_runtime;
            Some((thread.tid, Duration::from_nanos(nanoseconds)))
        };
        threads(self.pid).filter_map(cpu_time).collect()
    }

    /// For each of its epoll sets, how many descriptors are in it.
    /// `man 5 proc`, `/proc/pid/fdinfo`.
    pub(crate) fn registered(&self) -> Vec<usize> {
        let infos = fs::read_dir(format!("/proc/{}/fdinfo", self.pid));
        let infos = infos.into_iter().flatten().flatten();
        let texts = infos.filter_map(|i| fs::read_to_string(i.path()).ok());
        let entries = |text: String| {
            text.lines().filter(|line| line.starts_with("tfd:")).count()
        };
        texts.map(entries).filter(|&count| count > 0).collect()
    }

    /// Waits until it has nothing left to do, or waits itself; two seconds at
    /// the most.
    pub(crate) fn wait_until_idle(&self) {
        let interval = Duration::from_millis(50);
        for _ in 0..40 {
            let before = self.cpu_time();
            thread::sleep(interval);
            if self.cpu_time() - before < interval / 50 {
                return;
            }
        }
    }

    /// A size in `/proc/PID/status`, such as `VmRSS`, in bytes.
    pub(crate) fn memory(&self, of: fn(Status) -> Option<u64>) -> u64 {
        proc::status(self.pid).and_then(of).unwrap_or(0) * 1_024
    }
}

/// A command that is the server that `serve` has by this name.
pub(crate) fn serve(name: &str, options: &[&str]) -> Command {
    reexec(&[&["serve", name], &LISTEN[..], options].concat())
}

fn threads(pid: Pid) -> impl Iterator<Item = Task> {
    let tasks = Process::new(pid.as_raw()).and_then(|process| process.tasks());
    tasks.into_iter().flatten().flatten()
}

/// Whether it is in state T, or gone. `man 5 proc`.
fn is_stopped(thread: &Task) -> bool {
    thread.stat().map_or(true, |stat| stat.state == 'T')
}
