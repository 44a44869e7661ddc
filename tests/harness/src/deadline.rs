//! Waiting for a condition, up to a deadline.

use std::thread;
use std::time::{Duration, Instant};

use crate::{CaseError, CaseResult};

/// How long a test waits for anything that should happen. Ample: what should
/// happen does so within milliseconds, unless the machine is busy with other
/// things.
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// The time that a server has for its end, once a signal has come.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a condition is looked at of which nothing sends news.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A point in time at which waiting ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that lies `timeout` ahead.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    /// The time that remains, `None` when it is over.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|d| !d.is_zero())
    }
}

/// Polls until `condition` holds.
///
/// # Errors
/// What `condition` said last, when `timeout` has ended.
pub fn eventually(
    timeout: Duration,
    mut condition: impl FnMut() -> CaseResult,
) -> CaseResult {
    let mut last = Ok(());
    let held = poll_until(timeout, || {
        last = condition();
        Ok(last.is_ok().then_some(()))
    })?;
    match held {
        Some(()) => Ok(()),
        None => {
            last.map_err(|error| error.with("waited", format!("{timeout:?}")))
        }
    }
}

/// Polls until there is a value; `None` when `timeout` ends before.
///
/// # Errors
/// The first that `poll_once` gives.
pub fn poll_until<T>(
    timeout: Duration,
    mut poll_once: impl FnMut() -> Result<Option<T>, CaseError>,
) -> Result<Option<T>, CaseError> {
    let deadline = Deadline::after(timeout);
    loop {
        let found = poll_once()?;
        if found.is_some() || deadline.remaining().is_none() {
            return Ok(found);
        }
        thread::sleep(POLL_INTERVAL);
    }
}
