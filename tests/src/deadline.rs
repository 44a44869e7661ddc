//! Waiting for a condition, but not for ever.

use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, Outcome};

/// How often a condition that nothing announces is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// A point in time at which patience ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that lies `patience` ahead.
    #[must_use]
    pub fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// The time left, `None` when it is over.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|d| !d.is_zero())
    }
}

/// Looks again and again until `condition` holds.
///
/// # Errors
/// What `condition` said last, when `patience` has ended.
pub fn eventually(
    patience: Duration,
    mut condition: impl FnMut() -> Outcome,
) -> Outcome {
    let deadline = Deadline::after(patience);
    loop {
        let outcome = condition();
        if outcome.is_ok() || deadline.left().is_none() {
            return outcome.map_err(|failure| {
                failure.with("waited", format!("{patience:?}"))
            });
        }
        thread::sleep(GLANCE);
    }
}

/// Looks again and again until there is a value, or patience ends.
pub(crate) fn until<T>(
    patience: Duration,
    mut glance: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    let deadline = Deadline::after(patience);
    loop {
        let found = glance()?;
        if found.is_some() || deadline.left().is_none() {
            return Ok(found);
        }
        thread::sleep(GLANCE);
    }
}
