//! A process of ours: signals, deadlines, and nothing that is left running.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::group::Group;
use crate::launch::PORT;
use crate::proc::listening_ports;
use crate::{CaseError, CaseResult, Output, Proc, StdoutReader, poll_until};

/// A process that we have started, and all that it has started. They are killed
/// when this value is dropped, and when we end in another way.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    /// The child, or the descendant of it that is the server.
    server: OnceLock<Pid>,
    group: Group,
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
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let group = Group::new()?;
        let mut child = group.start(&mut command)?;
        let (Some(stdout), Some(stderr)) =
            (child.stdout.take(), child.stderr.take())
        else {
            return Err(CaseError::new("a child process has no pipes"));
        };
        Ok(Self {
            child: Mutex::new(child),
            server: OnceLock::new(),
            group,
            stdout: Output::of(stdout, reader),
            stderr: Output::of(stderr, StdoutReader::Prompt),
        })
    }

    /// The number of the server's process: of the child, unless that is found
    /// to have started the server as its own child.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.server.get().copied().unwrap_or_else(|| self.child_pid())
    }

    /// This process as others see it.
    #[must_use]
    pub fn proc(&self) -> Proc {
        Proc::of(self.pid())
    }

    /// The ports on which it listens, or what it has started does.
    pub(crate) fn listening_ports(&self) -> Vec<u16> {
        listening_ports(self.group.id())
    }

    fn child_pid(&self) -> Pid {
        Pid::from_raw(self.child().id().cast_signed())
    }

    /// Finds out which process it is that serves: a signal is for the server,
    /// and not for the script that waits for it.
    ///
    /// # Errors
    /// A server that has left the group, and that would be left running.
    pub(crate) fn find_server(&self) -> CaseResult {
        let child = Proc::of(self.child_pid());
        let Some(server) = child.first_with_a_socket() else { return Ok(()) };
        if server.group().is_some_and(|group| group != self.group.id()) {
            return Err(has_left(server));
        }
        let _ = self.server.set(server.pid());
        Ok(())
    }

    /// The child has ended, and may have left a daemon on `port`.
    ///
    /// # Errors
    /// It has.
    pub(crate) fn find_daemon(&self, port: u16) -> CaseResult {
        let ours = format!("{PORT}={port}");
        match Proc::listening_on(port).find(|server| server.was_given(&ours)) {
            Some(server) => Err(has_left(server)),
            None => Ok(()),
        }
    }

    /// Sends the server `signal`.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn signal(&self, signal: Signal) -> CaseResult {
        // Until we have waited for the child its number cannot be another's.
        if let Some(status) = self.ended()? {
            let problem = format!("no {signal}: the server ended, {status}");
            return Err(CaseError::new(problem));
        }
        match self.server.get() {
            Some(&server) => {
                kill(server, signal).map_err(CaseError::of("kill"))
            }
            // Whichever of them it is.
            None => self.group.signal(signal),
        }
    }

    /// How the child ended, if it has.
    ///
    /// # Errors
    /// None but the kernel's own.
    pub fn ended(&self) -> Result<Option<ExitStatus>, CaseError> {
        self.child().try_wait().map_err(CaseError::of("waitpid"))
    }

    /// Waits for the child's end.
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
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group is killed once more when it is dropped, after this wait.
        let _ = self.group.signal(Signal::SIGKILL);
        let _ = self.child().wait();
    }
}

/// Ends `server`, which would outlive us.
fn has_left(server: Proc) -> CaseError {
    let _ = kill(server.pid(), Signal::SIGKILL);
    CaseError::new(
        "the server has left its process group (setsid, a daemon): start it in \
         the foreground, so that it can be ended",
    )
}
