//! How a request can fail.

use std::fmt::{self, Display, Formatter};

use nix::errno::Errno;

/// Why a request had no good reply.
// ANCHOR: error
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// The reply was not `pong`.
    WrongReply,
    /// More replies came than requests were sent.
    UnrequestedReply,
    /// The server ended the connection before the reply.
    Closed,
    /// No reply within the time that a request may take.
    TimedOut,
    /// A system call failed: its `errno`.
    Failed(i32),
}

impl From<Errno> for RequestError {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno as i32)
    }
}

impl Display for RequestError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongReply => "wrong reply",
            Self::UnrequestedReply => "a reply that was not asked for",
            Self::Closed => "closed before the reply",
            Self::TimedOut => "no reply in time",
            Self::Failed(number) => match Errno::from_raw(*number) {
                Errno::ECONNREFUSED => "connection refused",
                Errno::ECONNRESET => "connection reset",
                Errno::EPIPE => "connection broken",
                Errno::EADDRNOTAVAIL => "client out of ports",
                Errno::EMFILE | Errno::ENFILE => "client out of descriptors",
                errno => errno.desc(),
            },
        })
    }
}
// ANCHOR_END: error
