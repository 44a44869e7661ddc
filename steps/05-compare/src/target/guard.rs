//! A guard: the process between us and a server.
//!
//! A server may start other processes, and those may leave its group. We may
//! be ended in ways that no program sees coming (SIGKILL). So a server is the
//! child of a guard, which waits for two things: the server's end, and the end
//! of a pipe that only we hold. Either way it ends all that the server has
//! started, and then itself.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::{Pid, getpid};

use super::proc::Process;

/// This very program, even if it has been built anew in the meantime.
const SELF_EXE: &str = "/proc/self/exe";
/// The argument by which this program is told to be a guard.
const GUARD: &str = "guard";

/// A command that runs `program` with these arguments, under a guard that is
/// the leader of a process group of its own, so that Ctrl-C in the terminal is
/// for us. Its stdin is the pipe whose end ends it.
// ANCHOR: guarded
#[must_use]
pub fn guarded(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(SELF_EXE);
    command.args([GUARD, program]).args(arguments);
    command.stdin(Stdio::piped()).process_group(0);
    command
}
// ANCHOR_END: guarded

/// This program itself under a guard, with these arguments.
#[must_use]
pub fn reexec(arguments: &[&str]) -> Command {
    guarded(SELF_EXE, arguments)
}

/// Is the guard, where the command line says so: to be called first in `main`
/// by each program that uses [`guarded`].
#[must_use]
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == GUARD).then(|| {
        let Some(program) = arguments.next() else { return ExitCode::FAILURE };
        let mut command = Command::new(&program);
        guard(command.args(arguments))
    })
}

// ANCHOR: guard
fn guard(command: &mut Command) -> ExitCode {
    // As a shell starts it: nothing of what we have blocked stays blocked.
    let _ = SigSet::empty().thread_set_mask();
    // What outlives its parent becomes our child.
    let _ = prctl::set_child_subreaper(true);
    // A pipe without an end: a server that reads its stdin is not to see one.
    let server = match command.stdin(Stdio::piped()).spawn() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("{}: {error}", command.get_program().display());
            return ExitCode::FAILURE;
        }
    };
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]); // nothing is ever written there
        end_descendants();
        process::exit(1);
    });
    let server_pid = Pid::from_raw(server.id().cast_signed());
    let status = loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == server_pid => {
                break code;
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == server_pid => {
                break 128 + signal as i32; // as a shell says it
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => break 1,
        }
    };
    drop(server);
    end_descendants();
    ExitCode::from(status.to_le_bytes()[0])
}

/// Ends all that is ours, until nothing is left to wait for.
fn end_descendants() {
    let own = getpid();
    loop {
        for process in Process::all().filter(|process| process.parent == own) {
            let _ = kill(process.pid, Signal::SIGKILL);
        }
        // Children of what ends become ours, and come next. No blocking wait:
        // the other thread may have waited for the last one.
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}
// ANCHOR_END: guard
