//! An error that says which call failed, why, and what to do next.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::process::ExitCode;

use nix::libc::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EINVAL, EMFILE, ENOMEM, ENOSYS,
    EPERM,
};

use crate::{Language, Log};

/// The system call, or the group of them, that failed.
#[expect(missing_docs, reason = "the call of that name, in section 2 of `man`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Socket,
    SetSockOpt,
    Bind,
    Listen,
    Accept,
    Recv,
    Send,
    /// `pthread_create(3)`
    Thread,
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

/// What a function returns that makes system calls.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds to an `errno` the call that it came from.
pub trait ResultExt<T> {
    /// The same result, whose error names `call`.
    fn context(self, call: Call) -> Result<T>;
}

impl<T, E: Into<io::Error>> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, call: Call) -> Result<T> {
        self.map_err(|error| Error { call, source: error.into() })
    }
}

impl Error {
    /// The line that is printed.
    pub fn text(&self, language: Language) -> String {
        let [call, hint] = [self.call(), self.hint()]
            .map(|(japanese, english)| language.pick(japanese, english));
        format!("[!] {call}: {}{hint}", self.source)
    }

    fn call(&self) -> (&'static str, &'static str) {
        match self.call {
            Call::Socket => ("ソケットの作成に失敗", "socket failed"),
            Call::SetSockOpt => ("オプションの設定に失敗", "setsockopt failed"),
            Call::Bind => ("バインドに失敗", "bind failed"),
            Call::Listen => ("リッスンに失敗", "listen failed"),
            Call::Accept => ("接続の受け入れに失敗", "accept failed"),
            Call::Recv => ("受信エラー", "receive failed"),
            Call::Send => ("送信エラー", "send failed"),
            Call::Thread => ("スレッド作成に失敗", "no thread for a client"),
            Call::Signals => ("シグナルの設定に失敗", "signal set-up failed"),
            Call::Epoll => ("epollに失敗", "epoll failed"),
            Call::IoUring => ("io_uringに失敗", "io_uring failed"),
        }
    }

    /// What the reader can do about it, where that is not plain.
    fn hint(&self) -> (&'static str, &'static str) {
        match (self.call, self.source.raw_os_error().unwrap_or(0)) {
            (Call::Bind, EADDRINUSE) => (
                "。別のサーバーを止めるか、--port で別のポートを指定してください",
                ": stop the server that has it, or choose another --port",
            ),
            (Call::Bind, EACCES) => (
                "。--port で1024以上のポートを指定してください",
                ": choose a --port of 1024 or above",
            ),
            (Call::Bind, EADDRNOTAVAIL) => (
                "。--host にはこのマシンのアドレスを指定してください",
                ": choose a --host that is an address of this machine",
            ),
            (Call::Bind, EINVAL) => (
                "。リンクローカルアドレスにはインターフェース名を付けてください (例: fe80::1%eth0)",
                ": a link-local address needs its interface, as in fe80::1%eth0",
            ),
            (Call::Accept, EMFILE) => (
                "。ulimit -n で上限を上げてください",
                ": let it have more open files (ulimit -n)",
            ),
            (Call::Thread, EAGAIN) => (
                "。ulimit -u で上限を上げてください",
                ": let it have more threads (ulimit -u, kernel.threads-max)",
            ),
            (Call::Thread | Call::IoUring, ENOMEM) => (
                "。ulimit -v、io_uringではulimit -l で上限を上げてください",
                ": let it have more memory (ulimit -v, for io_uring ulimit -l)",
            ),
            (Call::IoUring, ENOSYS | EPERM | EACCES | EINVAL) => (
                "。Linux 6.1以降で許可するか (kernel.io_uring_disabled、コンテナのseccomp)、04-epollを使ってください",
                ": allow it (kernel.io_uring_disabled, a container's seccomp filter) on Linux 6.1 or later, or run 04-epoll",
            ),
            _ => ("", ""),
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl std::error::Error for Error {}

/// How a server ends: with status 0, or with one line on stderr and status 1.
pub fn exit_code(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    Log::new(false).error(&error);
    ExitCode::FAILURE
}
