//! Why a lab came to no answer.

use std::io;

use nix::errno::Errno;
use protocol::Error;

/// What ended an experiment early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// This system does not allow it: the setting that is in the way.
    Forbidden(String),
    /// Something failed that should not.
    Failed(String),
}

impl Trouble {
    /// Something failed while `doing` this.
    pub(crate) fn while_doing<E: Into<io::Error>>(
        doing: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| Self::Failed(format!("{doing}: {}", error.into()))
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Self {
        io::Error::from(errno).into()
    }
}

impl From<Error> for Trouble {
    fn from(failure: Error) -> Self {
        Self::Failed(failure.to_string().trim_start_matches("[!] ").into())
    }
}
