//! To stop a process for certain.

use std::time::Duration;

use crate::{
    CaseError, CaseResult, Process, Signal, TIMEOUT, poll_until,
    proc_unavailable,
};

/// How long a process may take to have nothing to do.
const SETTLES: Duration = Duration::from_secs(1);

impl Process {
    /// Stops it, as Ctrl-Z does: in the call in which it waits, if it waits,
    /// and for certain. SIGCONT would take back a stop that is still to come.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn stop(&self) -> CaseResult {
        if proc_unavailable().is_some() {
            return self.signal(Signal::SIGSTOP);
        }
        // It need not ever wait: another server could be one that spins.
        poll_until(SETTLES, || Ok(self.proc().waits().then_some(())))?;
        self.signal(Signal::SIGSTOP)?;
        poll_until(TIMEOUT, || Ok(self.proc().is_stopped().then_some(())))?
            .ok_or_else(|| {
                CaseError::new("the server does not stop at SIGSTOP")
            })
    }
}
