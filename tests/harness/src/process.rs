//! A child process: signals, deadlines, no orphan.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{CaseError, CaseResult, Output, StdoutReader, poll_until};

/// A process that we have started. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    pid: Pid,
    /// What it has printed.
    pub stdout: Output,
    /// What it has complained of.
    pub stderr: Output,
}

impl Process {
    /// Starts `command`, reads its stdout in the manner of `reader` and its
    /// stderr to the end. Its stdin is empty.
    ///
    /// # Errors
    /// A program that is not there or may not be run.
    pub fn start(
        mut command: Command,
        reader: StdoutReader,
    ) -> Result<Self, CaseError> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(CaseError::of(&format!("cannot start {name}")))?;
        let (Some(stdout), Some(stderr)) =
            (child.stdout.take(), child.stderr.take())
        else {
            return Err(CaseError::new("a child process has no pipes"));
        };
        Ok(Self {
            pid: Pid::from_raw(child.id().cast_signed()),
            child: Mutex::new(child),
            stdout: Output::of(stdout, reader),
            stderr: Output::of(stderr, StdoutReader::Prompt),
        })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends it `signal`.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn signal(&self, signal: Signal) -> CaseResult {
        // Until we have waited for the child its number cannot be another's.
        if let Some(status) = self.ended()? {
            let problem = format!("no {signal}: the server ended, {status}");
            return Err(CaseError::new(problem));
        }
        kill(self.pid, signal).map_err(CaseError::of("kill"))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn ended(&self) -> Result<Option<ExitStatus>, CaseError> {
        self.child().try_wait().map_err(CaseError::of("waitpid"))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It still runs when `timeout` has ended.
    pub fn wait(&self, timeout: Duration) -> Result<ExitStatus, CaseError> {
        poll_until(timeout, || self.ended())?.ok_or_else(|| {
            CaseError::new("the server does not end")
                .expected(format!("its end within {timeout:?}"))
                .came("it still runs")
        })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> io::Result<ExitStatus> {
        let mut child = self.child();
        child.kill()?;
        child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.end();
    }
}
