//! A guard: the process between us and a server.
//!
//! A server may start other processes, which may leave its group, and we may be
//! ended by SIGKILL. So a guard waits for the server's end, and for that of a
//! pipe that only we hold. Then it ends all that the server has started, and
//! itself.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{
    self, Child, ChildStderr, ChildStdout, Command, ExitCode, Stdio,
};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getpid};

use super::proc;

/// This very program, even if it has been built anew in the meantime.
const SELF_EXE: &str = "/proc/self/exe";
/// The argument by which this program is told to be a guard.
const GUARD: &str = "guard";
/// How long a guard may take to end what it guards.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A command that runs `program` with these arguments, under a guard that is
/// the leader of a process group of its own, so that Ctrl-C in the terminal is
/// for us. Its stdin is the pipe whose end ends it.
pub fn guarded(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(SELF_EXE);
    command.args([GUARD, program]).args(arguments);
    command.stdin(Stdio::piped()).process_group(0);
    command
}

/// This program itself under a guard, with these arguments.
pub fn reexec(arguments: &[&str]) -> Command {
    guarded(SELF_EXE, arguments)
}

/// A process under a guard. It ends when this is dropped.
#[derive(Debug)]
pub struct Guarded {
    /// The leader of the process group that it is in. The pipe that is its
    /// stdin is never written to; that it is closed ends both.
    guard: Child,
}

impl Guarded {
    /// Starts a command that [`guarded`] or [`reexec`] has made. `man 2 fork`.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        Ok(Self { guard: command.spawn()? })
    }

    /// The process group: the guard is its leader.
    pub fn group(&self) -> Pid {
        Pid::from_raw(self.guard.id().cast_signed())
    }

    /// The process itself, as long as it is there.
    pub fn pid(&self) -> Option<Pid> {
        let guard = self.group().as_raw();
        let child = proc::all().find(|process| process.ppid == guard)?;
        Some(Pid::from_raw(child.pid))
    }

    /// Its stdout, where that is a pipe.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.guard.stdout.take()
    }

    /// Its stderr, where that is a pipe.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.guard.stderr.take()
    }

    /// How it ended, if it has. That leaves the guard in the table of
    /// processes (WNOWAIT): as long as it is there no other process gets its
    /// number, and its group can be ended by that. `man 2 waitid`.
    pub fn has_exited(&self) -> Option<String> {
        let flags =
            WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.group()), flags) {
            Ok(WaitStatus::Exited(_, code)) => {
                let how = match Signal::try_from(code - 128) {
                    Ok(signal) => signal.to_string(),
                    Err(_) => format!("exit status {code}"),
                };
                Some(format!("the server ended: {how}"))
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                Some(format!("the server's guard ended: {signal}"))
            }
            _ => None,
        }
    }

    /// Ends it, and all that it has started.
    pub fn end(&mut self) {
        // Once: after the wait its number may be another process's.
        let Some(pipe) = self.guard.stdin.take() else { return };
        drop(pipe);
        // The guard ends all that it has started, and then itself.
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.has_exited().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        let _ = killpg(self.group(), Signal::SIGKILL);
        // Without this the guard would stay in the table as a zombie.
        let _ = self.guard.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

/// Is the guard, where the command line says so: to be called first in `main`
/// by each program that uses [`guarded`].
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == GUARD).then(|| {
        let Some(program) = arguments.next() else { return ExitCode::FAILURE };
        let mut command = Command::new(&program);
        guard(command.args(arguments))
    })
}

fn guard(command: &mut Command) -> ExitCode {
    // As a shell starts it: nothing stays blocked or ignored that we do.
    let _ = blocking::default_signals();
    // What outlives its parent becomes our child.
    let _ = prctl::set_child_subreaper(true);
    let mut server = match command.stdin(Stdio::piped()).spawn() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("{}: {error}", command.get_program().display());
            return ExitCode::FAILURE;
        }
    };
    // Kept: a server that reads its stdin is not to see an end.
    let _stdin = server.stdin.take();
    let watching = Builder::new().spawn(|| {
        let _ = io::stdin().read(&mut [0]); // nothing is ever written there
        end_descendants();
        process::exit(1);
    });
    if let Err(error) = watching {
        end_descendants();
        eprintln!("no thread that waits for our end: {error}");
        return ExitCode::FAILURE;
    }
    // The others are not waited for before the end: until then the kernel
    // knows what they have used.
    let status = server.wait().unwrap_or_default();
    end_descendants();
    let signal = status.signal().unwrap_or_default();
    // As a shell says it.
    let code = status.code().unwrap_or(128 + signal);
    ExitCode::from(code.to_le_bytes()[0])
}

/// Ends all that is ours, until nothing is left to wait for.
fn end_descendants() {
    let own = getpid().as_raw();
    loop {
        for process in proc::all().filter(|process| process.ppid == own) {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        // Children of what ends become ours, and come next. No blocking wait:
        // the other thread may have waited for the last one.
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}
