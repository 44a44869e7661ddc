//! An error that says what we were doing, what happened, and what to do next.

use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use nix::errno::Errno;

use crate::{Language, Log};

/// What the program was doing when a system call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// `socket(2)`
    Socket,
    /// `setsockopt(2)`
    Option,
    /// `bind(2)`
    Bind,
    /// `listen(2)`
    Listen,
    /// `accept(2)`
    Accept,
    /// Creating a thread: `pthread_create(3)`
    Thread,
    /// `recv(2)`
    Receive,
    /// `send(2)`
    Send,
    /// Arranging to be told of signals: `sigaction(2)`, `signalfd(2)`
    Signals,
    /// `epoll_create1(2)`, `epoll_ctl(2)` or `epoll_wait(2)`
    Epoll,
}

impl Doing {
    /// Gives `error` this context; made for `map_err`.
    pub fn failed(self, error: impl Into<io::Error>) -> Failure {
        Failure { doing: self, error: error.into() }
    }

    fn worded(self, language: Language) -> &'static str {
        let (japanese, english) = match self {
            Self::Socket => ("ソケットの作成に失敗", "socket failed"),
            Self::Option => {
                ("ソケットオプションの設定に失敗", "setsockopt failed")
            }
            Self::Bind => ("バインドに失敗", "bind failed"),
            Self::Listen => ("リッスンに失敗", "listen failed"),
            Self::Accept => ("接続の受け入れに失敗", "accept failed"),
            Self::Thread => ("スレッド作成に失敗", "no thread for a client"),
            Self::Receive => ("受信エラー", "receive failed"),
            Self::Send => ("送信エラー", "send failed"),
            Self::Signals => ("シグナルの設定に失敗", "signal set-up failed"),
            Self::Epoll => ("epollに失敗", "epoll failed"),
        };
        language.pick(japanese, english)
    }
}

/// A system call that failed, and what it was for.
#[derive(Debug)]
pub struct Failure {
    /// What the program was doing.
    pub doing: Doing,
    /// What the kernel said: `errno`.
    pub error: io::Error,
}

impl Failure {
    /// The failure as one line in `language`, without a newline at its end.
    #[must_use]
    pub fn in_language(&self, language: Language) -> impl Display {
        struct Worded<'a>(&'a Failure, Language);
        impl Display for Worded<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                let Failure { doing, error } = self.0;
                write!(f, "[!] {}: {error}", doing.worded(self.1))?;
                self.0.hint(self.1).map_or(Ok(()), |hint| write!(f, "{hint}"))
            }
        }
        Worded(self, language)
    }

    /// What the reader can do about it, where that is not plain.
    fn hint(&self, language: Language) -> Option<&'static str> {
        let hints = match (self.doing, self.error.kind()) {
            (Doing::Bind, ErrorKind::AddrInUse) => (
                "。別のサーバーを止めるか、--port で別のポートを指定してください",
                ": stop the server that has it, or choose another --port",
            ),
            (Doing::Bind, ErrorKind::PermissionDenied) => (
                "。--port で1024以上のポートを指定してください",
                ": choose a --port of 1024 or above",
            ),
            (Doing::Bind, ErrorKind::AddrNotAvailable) => (
                "。--host にはこのマシンのアドレスを指定してください",
                ": choose a --host that is an address of this machine",
            ),
            (Doing::Accept, _) if self.is_out_of_descriptors() => (
                "。ulimit -n で上限を上げてください",
                ": let it have more open files (ulimit -n)",
            ),
            (Doing::Thread, ErrorKind::WouldBlock) => (
                "。ulimit -u で上限を上げてください",
                ": let it have more threads (ulimit -u, kernel.threads-max)",
            ),
            _ => return None,
        };
        Some(language.pick(hints.0, hints.1))
    }

    fn is_out_of_descriptors(&self) -> bool {
        self.error.raw_os_error() == Some(Errno::EMFILE as i32)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.in_language(Language::English).fmt(f)
    }
}

impl std::error::Error for Failure {}

/// How a server ends: with status 0, or with one line on stderr and status 1.
#[must_use]
pub fn conclude(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            Log::new(false).alarm(&failure);
            ExitCode::FAILURE
        }
    }
}
