//! The end of a server after a signal: in time, and with status 0.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::{
    CaseError, CaseResult, Process, SHUTDOWN_TIMEOUT, TIMEOUT, poll_until,
};

impl Process {
    /// Sends `signal`, and waits for an end in order.
    ///
    /// # Errors
    /// As [`has_ended_in_order`](Self::has_ended_in_order).
    pub fn ends_in_order(&self, signal: Signal) -> CaseResult {
        self.signal(signal)?;
        self.has_ended_in_order()
            .map_err(|error| error.with("signal", signal.to_string()))
    }

    /// Waits for the end that a signal has asked for: with status 0.
    ///
    /// # Errors
    /// It ends otherwise; it still runs after [`SHUTDOWN_TIMEOUT`].
    pub fn has_ended_in_order(&self) -> CaseResult {
        let status = self.wait_for_shutdown()?;
        if status.success() {
            return Ok(());
        }
        Err(CaseError::new("the server does not end in order")
            .expected("exit status: 0")
            .came(status.to_string()))
    }

    /// Waits for the end that a signal has asked for. The time in which the
    /// server waits for a processor does not count: others have that.
    ///
    /// # Errors
    /// It still runs after [`SHUTDOWN_TIMEOUT`].
    pub fn wait_for_shutdown(&self) -> Result<ExitStatus, CaseError> {
        let start = Instant::now();
        let before = self.proc().time_in_run_queue();
        let mut in_queue = Duration::ZERO;
        let ended = poll_until(TIMEOUT, || {
            let status = self.ended()?;
            let now = self.proc().time_in_run_queue();
            in_queue = in_queue.max(now.saturating_sub(before));
            if start.elapsed() > SHUTDOWN_TIMEOUT + in_queue {
                return Ok(Some(status));
            }
            Ok(status.map(Some))
        })?;
        ended.flatten().ok_or_else(|| {
            CaseError::new("the server does not end")
                .expected(format!("its end within {SHUTDOWN_TIMEOUT:?}"))
                .came("it still runs")
        })
    }
}
