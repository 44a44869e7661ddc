//! Why a measurement came to nothing.

use std::fmt::Display;

use nix::errno::Errno;

/// What ended a measurement early.
#[derive(Debug)]
pub(crate) enum Error {
    /// Ctrl-C: show what there is.
    Interrupted,
    /// The server failed: that is its result, and the rest goes on.
    Failed(String),
    /// We failed, which says nothing about the server.
    Client(String),
}

impl Error {
    pub(crate) fn ours(reason: impl Display) -> Self {
        Self::Client(format!("the client: {reason}"))
    }
}

impl From<protocol::Error> for Error {
    fn from(error: protocol::Error) -> Self {
        Self::ours(error)
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self::ours(errno.desc())
    }
}
