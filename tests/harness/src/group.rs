//! A process group that ends when we do, however we end.
//!
//! A command may be a script that starts the server and waits, and its server
//! may start others. To end the command alone would leave them running. They
//! are all in one process group, which `kill` ends as a whole: `man 2 setpgid`,
//! `man 2 kill`.
//!
//! We may be killed ourselves, and then no code of ours runs. So each group has
//! a guard: its first process, a shell that reads from a pipe of which we hold
//! the other end. When we are gone, the kernel closes that end; the guard's
//! `read` returns, and it kills its own group.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::{CaseError, CaseResult};

/// What is meant for the server must not end its guard.
const GUARD: &str = "trap '' HUP INT QUIT TERM; read -r _; kill -s KILL 0";

/// A process group. It is killed when this value is dropped, or we end.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its stdin is the pipe.
    guard: Child,
}

impl Group {
    /// An empty group, save for its guard.
    ///
    /// # Errors
    /// No process or descriptor is left.
    pub(crate) fn new() -> Result<Self, CaseError> {
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(CaseError::of("cannot start sh"))?;
        Ok(Self { guard })
    }

    /// Its number, which is the guard's.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_raw(self.guard.id().cast_signed())
    }

    /// Starts `command` in this group.
    ///
    /// # Errors
    /// A program that is not there or may not be run.
    pub(crate) fn start(
        &self,
        command: &mut Command,
    ) -> Result<Child, CaseError> {
        let name = command.get_program().to_string_lossy().into_owned();
        command
            .process_group(self.id().as_raw())
            .spawn()
            .map_err(CaseError::of(&format!("cannot start {name}")))
    }

    /// Sends `signal` to all of it.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub(crate) fn signal(&self, signal: Signal) -> CaseResult {
        killpg(self.id(), signal).map_err(CaseError::of("killpg"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // We have not waited for the guard: the number is still the group's.
        let _ = self.signal(Signal::SIGKILL);
        let _ = self.guard.wait();
    }
}
