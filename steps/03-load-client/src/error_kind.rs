//! What can go wrong with a request, by kind: a kind has one cause and one
//! remedy. (The article prints a line for each failed request.)

use std::io;
use std::net::SocketAddr;

use nix::errno::Errno;
use protocol::Language;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// No program listens on that address and port: ECONNREFUSED.
    ConnectionRefused,
    /// The connection was not established in time.
    ConnectTimedOut,
    /// The whole reply did not come in time.
    ReplyTimedOut,
    /// The server ended the connection with an RST: ECONNRESET, EPIPE.
    ConnectionReset,
    /// The server closed the connection before the whole reply had come.
    UnexpectedEof,
    /// A reply came that is not `pong`.
    WrongReply,
    /// More replies came than requests were sent.
    UnrequestedReply,
    /// Each local port to this server is in use or in TIME_WAIT:
    /// EADDRNOTAVAIL. `man 7 ip`, `ip_local_port_range`.
    PortsExhausted,
    /// This process or the system has no free descriptor: EMFILE, ENFILE.
    TooManyOpenFiles,
    /// No route leads there: ENETUNREACH, EHOSTUNREACH.
    HostUnreachable,
    /// Any other `errno`.
    Other(i32),
}

impl From<Errno> for ErrorKind {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ECONNREFUSED => Self::ConnectionRefused,
            Errno::ETIMEDOUT => Self::ReplyTimedOut,
            Errno::ECONNRESET | Errno::ECONNABORTED | Errno::EPIPE => {
                Self::ConnectionReset
            }
            Errno::EADDRNOTAVAIL | Errno::EADDRINUSE => Self::PortsExhausted,
            Errno::EMFILE | Errno::ENFILE => Self::TooManyOpenFiles,
            Errno::ENETUNREACH | Errno::EHOSTUNREACH => Self::HostUnreachable,
            other => Self::Other(other as i32),
        }
    }
}

impl From<io::Error> for ErrorKind {
    fn from(error: io::Error) -> Self {
        Errno::from_raw(error.raw_os_error().unwrap_or(0)).into()
    }
}

impl From<protocol::Error> for ErrorKind {
    fn from(error: protocol::Error) -> Self {
        error.source.into()
    }
}

impl ErrorKind {
    /// The name in `--json`, and the words in Japanese and in English.
    #[rustfmt::skip] // a table
    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ConnectionRefused =>
                ("connection_refused", "接続を拒否された", "connection refused"),
            Self::ConnectTimedOut =>
                ("connect_timed_out", "接続がタイムアウト", "connecting timed out"),
            Self::ReplyTimedOut =>
                ("reply_timed_out", "応答がタイムアウト", "no reply in time"),
            Self::ConnectionReset =>
                ("reset", "接続がリセットされた", "connection reset by the server"),
            Self::UnexpectedEof =>
                ("closed_without_reply", "応答の前に接続が閉じられた", "closed without a reply"),
            Self::WrongReply =>
                ("wrong_reply", "応答が pong ではない", "reply is not pong"),
            Self::UnrequestedReply =>
                ("unrequested_reply", "要求していない応答", "a reply that was not asked for"),
            Self::PortsExhausted =>
                ("out_of_local_ports", "ローカルポートの枯渇", "out of local ports"),
            Self::TooManyOpenFiles =>
                ("out_of_descriptors", "ファイルディスクリプタの枯渇", "out of file descriptors"),
            Self::HostUnreachable =>
                ("unreachable", "到達できない", "host unreachable"),
            Self::Other(_) => ("errno", "", ""),
        }
    }

    /// The name of this kind in `--json`.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Other(errno) => format!("errno_{errno}"),
            _ => self.texts().0.into(),
        }
    }

    /// This kind, in words.
    pub fn describe(self, language: Language) -> String {
        let (_, japanese, english) = self.texts();
        match self {
            Self::Other(errno) => Errno::from_raw(errno).desc().into(),
            _ => language.pick(japanese, english).into(),
        }
    }

    /// What the reader can do about it, where that is not plain.
    #[rustfmt::skip] // a table
    pub(crate) fn hint(self, server: SocketAddr, language: Language) -> String {
        let (japanese, english) = match self {
            Self::ConnectionRefused => (
                "。{} にサーバーがいません。起動するか(例: cargo run --release --bin 04-epoll)、--port で指定してください",
                ": no server listens on {}: start one (cargo run --release --bin 04-epoll), or choose its --port",
            ),
            Self::PortsExhausted => (
                "。TIME_WAIT が終わるまで1分待つか、--keep-alive を指定してください",
                ": wait a minute until TIME_WAIT is over, or use --keep-alive",
            ),
            Self::TooManyOpenFiles => (
                "。--threads を減らすか、ulimit -n を増やしてください",
                ": use fewer --threads, or raise ulimit -n",
            ),
            Self::ConnectTimedOut | Self::ReplyTimedOut => (
                "。サーバーの状態を確認するか、--timeout を延ばしてください",
                ": see whether the server is stuck, or allow a longer --timeout",
            ),
            Self::WrongReply | Self::UnrequestedReply => (
                "。{} は ping-pong サーバーではないようです",
                ": {} seems to be no ping-pong server",
            ),
            _ => ("", ""),
        };
        language.pick(japanese, english).replace("{}", &server.to_string())
    }
}
