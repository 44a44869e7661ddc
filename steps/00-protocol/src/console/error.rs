//! An error that says which call failed, why, and what to do next.

use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use nix::errno::Errno;

use crate::{Language, Localized, Log};

/// The system call, or the group of them, that failed.
// ANCHOR: error
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `socket(2)`
    Socket,
    /// `setsockopt(2)`
    SetSockOpt,
    /// `bind(2)`
    Bind,
    /// `listen(2)`
    Listen,
    /// `accept(2)`
    Accept,
    /// `pthread_create(3)`
    Thread,
    /// `recv(2)`
    Recv,
    /// `send(2)`
    Send,
    /// `sigaction(2)`, `sigprocmask(2)`, `signalfd(2)`
    Signals,
    /// `epoll_create1(2)`, `epoll_ctl(2)`, `epoll_wait(2)`
    Epoll,
    /// `io_uring_setup(2)`, `io_uring_enter(2)`, `io_uring_register(2)`
    IoUring,
}

/// A system call that failed, and why.
#[derive(Debug)]
pub struct Error {
    /// The call.
    pub call: Call,
    /// What the kernel said: `errno`.
    pub source: io::Error,
}

/// How a kernel says that it has no `io_uring`, or forbids it, or has an older
/// one. `man 2 io_uring_setup`: ENOSYS, EPERM, EINVAL.
const NO_RINGS: [ErrorKind; 3] = [
    ErrorKind::Unsupported,
    ErrorKind::PermissionDenied,
    ErrorKind::InvalidInput,
];

/// What a function returns that makes system calls.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds to an `errno` the call that it came from.
pub trait ResultExt<T> {
    /// The same result, whose error names `call`.
    ///
    /// # Errors
    /// Those of `self`.
    fn context(self, call: Call) -> Result<T>;
}

impl<T, E: Into<io::Error>> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, call: Call) -> Result<T> {
        self.map_err(|error| Error { call, source: error.into() })
    }
}
// ANCHOR_END: error

impl Call {
    fn text(self, language: Language) -> &'static str {
        let (japanese, english) = match self {
            Self::Socket => ("ソケットの作成に失敗", "socket failed"),
            Self::SetSockOpt => {
                ("ソケットオプションの設定に失敗", "setsockopt failed")
            }
            Self::Bind => ("バインドに失敗", "bind failed"),
            Self::Listen => ("リッスンに失敗", "listen failed"),
            Self::Accept => ("接続の受け入れに失敗", "accept failed"),
            Self::Thread => ("スレッド作成に失敗", "no thread for a client"),
            Self::Recv => ("受信エラー", "receive failed"),
            Self::Send => ("送信エラー", "send failed"),
            Self::Signals => ("シグナルの設定に失敗", "signal set-up failed"),
            Self::Epoll => ("epollに失敗", "epoll failed"),
            Self::IoUring => ("io_uringに失敗", "io_uring failed"),
        };
        language.pick(japanese, english)
    }
}

impl Error {
    /// What the reader can do about it, where that is not plain.
    fn hint(&self, language: Language) -> &'static str {
        let (japanese, english) = match (self.call, self.source.kind()) {
            (Call::Bind, ErrorKind::AddrInUse) => (
                "。別のサーバーを止めるか、--port で別のポートを指定してください",
                ": stop the server that has it, or choose another --port",
            ),
            (Call::Bind, ErrorKind::PermissionDenied) => (
                "。--port で1024以上のポートを指定してください",
                ": choose a --port of 1024 or above",
            ),
            (Call::Bind, ErrorKind::AddrNotAvailable) => (
                "。--host にはこのマシンのアドレスを指定してください",
                ": choose a --host that is an address of this machine",
            ),
            (Call::Bind, ErrorKind::InvalidInput) => (
                "。リンクローカルアドレスにはインターフェース名を付けてください (例: fe80::1%eth0)",
                ": a link-local address needs its interface, as in fe80::1%eth0",
            ),
            (Call::Accept, _) if self.is(Errno::EMFILE) => (
                "。ulimit -n で上限を上げてください",
                ": let it have more open files (ulimit -n)",
            ),
            (Call::Thread, ErrorKind::WouldBlock) => (
                "。ulimit -u で上限を上げてください",
                ": let it have more threads (ulimit -u, kernel.threads-max)",
            ),
            (Call::Thread, ErrorKind::OutOfMemory) => (
                "。ulimit -v で上限を上げてください",
                ": let it have more memory (ulimit -v)",
            ),
            (Call::IoUring, kind) if NO_RINGS.contains(&kind) => (
                "。Linux 6.1以降で許可するか (kernel.io_uring_disabled、コンテナのseccomp)、04-epollを使ってください",
                ": allow it (kernel.io_uring_disabled, a container's seccomp filter) on Linux 6.1 or later, or run 04-epoll",
            ),
            _ => ("", ""),
        };
        language.pick(japanese, english)
    }

    fn is(&self, errno: Errno) -> bool {
        self.source.raw_os_error() == Some(errno as i32)
    }
}

impl Display for Localized<&Error> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(error, language) = *self;
        let Error { call, source } = error;
        let (call, hint) = (call.text(language), error.hint(language));
        write!(f, "[!] {call}: {source}{hint}")
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Localized(self, Language::English).fmt(f)
    }
}

impl std::error::Error for Error {}

/// How a server ends: with status 0, or with one line on stderr and status 1.
pub fn exit_code(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Log::new(false).error(&error);
            ExitCode::FAILURE
        }
    }
}
