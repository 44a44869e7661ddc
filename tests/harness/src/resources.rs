//! What a server holds for its clients, and must give back.

use std::time::Duration;

use crate::{CaseError, CaseResult, Proc, eventually};

/// What costs a server something as long as a client is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Resources {
    /// Those of `process` now.
    ///
    /// # Errors
    /// A process that has ended; a system without `/proc`.
    pub fn of(process: Proc) -> Result<Self, CaseError> {
        let descriptors = process.descriptors()?;
        Ok(Self { descriptors, threads: process.threads()? })
    }

    /// Room for so many more of each.
    #[must_use]
    pub fn plus(self, more: usize) -> Self {
        let Self { descriptors, threads } = self;
        Self { descriptors: descriptors + more, threads: threads + more }
    }

    /// No more than `most`?
    ///
    /// # Errors
    /// More.
    pub fn at_most(self, most: Self) -> CaseResult {
        if self.descriptors <= most.descriptors && self.threads <= most.threads
        {
            return Ok(());
        }
        Err(CaseError::new("the server does not give back what it took")
            .expected(format!("at most {most:?}"))
            .came(format!("{self:?}")))
    }

    /// Waits until `process` holds no more than this.
    ///
    /// # Errors
    /// It does.
    pub fn is_reached_by(self, process: Proc, timeout: Duration) -> CaseResult {
        eventually(timeout, || Self::of(process)?.at_most(self))
    }
}
