//! The errors of each call, from its man page.
//!
//! Left out are those that only a wrong program meets (EBADF, EFAULT, ENOTSOCK
//! and the like), since none of these servers has a descriptor or a pointer
//! that is wrong.

/// `man 2 accept`: its own, and those of the network, which Linux passes on.
pub(super) const ACCEPT: &[&str] = &[
    "ECONNABORTED",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EINTR",
    "EINVAL",
    "EMFILE",
    "ENETDOWN",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "ENONET",
    "ENOPROTOOPT",
    "ENOSR",
    "EOPNOTSUPP",
    "EPERM",
    "EPROTO",
    "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT",
    "ETIMEDOUT",
];

/// `man 2 recv`, `man 7 tcp`, `man 7 ip`: the ends of a connection.
pub(super) const RECEIVE: &[&str] = &[
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOBUFS",
    "ENOMEM",
    "ENOTCONN",
    "ETIMEDOUT",
];

/// `man 2 send`, likewise.
pub(super) const SEND: &[&str] = &[
    "EACCES",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ENOBUFS",
    "ENOMEM",
    "ENOTCONN",
    "EPIPE",
    "ETIMEDOUT",
];

/// `man 2 close`.
pub(super) const CLOSE: &[&str] = &["EDQUOT", "EINTR", "EIO", "ENOSPC"];

/// `man 2 write`, to stdout and stderr.
pub(super) const WRITE: &[&str] =
    &["EAGAIN", "EDQUOT", "EFBIG", "EINTR", "EIO", "ENOSPC", "EPERM", "EPIPE"];

/// `man 2 poll`.
pub(super) const POLL: &[&str] = &["EAGAIN", "EINTR", "ENOMEM"];

/// `man 2 epoll_ctl`.
pub(super) const EPOLL_CTL: &[&str] = &["ENOMEM", "ENOSPC"];

/// `man 2 io_uring_enter`.
pub(super) const ENTER: &[&str] = &["EAGAIN", "EBUSY", "EINTR"];

/// `man 2 getpeername`.
pub(super) const PEER: &[&str] = &["ENOBUFS", "ENOTCONN"];

/// `man 2 shutdown`.
pub(super) const SHUTDOWN: &[&str] = &["ENOTCONN"];

/// `man 2 clone`.
pub(super) const CLONE: &[&str] = &["EAGAIN", "ENOMEM"];

/// Of all calls that ask for memory: `man 2 mmap`, `man 2 madvise`.
pub(super) const MEMORY: &[&str] = &["EAGAIN", "ENOMEM"];
/// `man 2 munmap`, `man 2 sigaltstack`.
pub(super) const NO_MEMORY: &[&str] = &["ENOMEM"];

/// Whatever waits may be interrupted: `man 7 signal`.
pub(super) const INTERRUPTED: &[&str] = &["EINTR"];
/// And whatever must not wait may say so.
pub(super) const WOULD_BLOCK: &[&str] = &["EAGAIN"];
