//! Why a measurement came to nothing.

use nix::errno::Errno;
use protocol::Error;

/// What ended a measurement early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Ctrl-C: show what there is.
    Interrupted,
    /// This one measurement failed: the row says why, the rest goes on.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<Error> for Trouble {
    fn from(failure: Error) -> Self {
        Self::Failed(format!("the client: {failure}"))
    }
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Self {
        Self::Failed(format!("the client: {}", errno.desc()))
    }
}
