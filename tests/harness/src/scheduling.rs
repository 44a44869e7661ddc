//! When a process runs, and whether it wants to: `man 5 proc`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal::SIGSTOP;

use crate::{CaseError, CaseResult, Process, TIMEOUT, poll_until};

/// How long a process may take to have nothing to do.
const SETTLES: Duration = Duration::from_secs(1);

impl Process {
    /// Stops it, as Ctrl-Z does: in the call in which it waits, if it waits,
    /// and for certain. SIGCONT would take back a stop that is still to come.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn stop(&self) -> CaseResult {
        if !Self::can_be_inspected() {
            return self.signal(SIGSTOP);
        }
        // It need not ever wait: another server could be one that spins.
        poll_until(SETTLES, || Ok((self.state()? == 'S').then_some(())))?;
        self.signal(SIGSTOP)?;
        poll_until(TIMEOUT, || Ok((self.state()? == 'T').then_some(())))?
            .ok_or_else(|| {
                CaseError::new("the server does not stop at SIGSTOP")
            })
    }

    /// Whether one of its threads runs, or would if others let it. Unlike the
    /// time that it gets this does not depend on what else the machine does.
    ///
    /// # Errors
    /// A process that has ended; a system without `/proc`.
    pub fn wants_to_run(&self) -> Result<bool, CaseError> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid()))
            .map_err(CaseError::of("/proc/PID/task"))?;
        // A thread may end between the two.
        let mut states = tasks.flatten().filter_map(|task| state(&task.path()));
        Ok(states.any(|state| state == 'R'))
    }

    fn state(&self) -> Result<char, CaseError> {
        state(Path::new(&format!("/proc/{}", self.pid())))
            .ok_or_else(|| CaseError::new("/proc/PID/stat: no state"))
    }
}

/// `S`: it waits. `T`: it is stopped. `R`: it runs, or wants to.
fn state(process: &Path) -> Option<char> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // Behind the name, which may contain anything.
    stat.rsplit(") ").next()?.chars().next()
}
