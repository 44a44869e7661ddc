//! Why a lab came to no answer.

use std::io;

use nix::errno::Errno;

/// What ended an experiment early.
#[derive(Debug)]
pub(crate) enum Error {
    /// This system does not allow it: the setting that is in the way.
    NotPermitted(String),
    /// Something failed that should not.
    Failed(String),
}

impl Error {
    /// Something failed while `doing` this.
    pub(crate) fn while_doing<E: Into<io::Error>>(
        doing: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| Self::Failed(format!("{doing}: {}", error.into()))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        io::Error::from(errno).into()
    }
}

impl From<protocol::Error> for Error {
    fn from(error: protocol::Error) -> Self {
        Self::Failed(error.to_string().trim_start_matches("[!] ").into())
    }
}
