//! What can go wrong with a request, by kind.
//!
//! The article prints one `perror` line for each failed request: without a
//! server that is ten thousand lines, and none says what to do. Here failures
//! are counted by kind, since a kind has one cause and one remedy.

use std::io;
use std::net::SocketAddr;

use nix::errno::Errno;
use protocol::Language;

/// Why a request failed.
// ANCHOR: problem
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Nobody listens on that address and port: ECONNREFUSED.
    Refused,
    /// The connection was not established in time.
    ConnectTimedOut,
    /// Connected, but the whole reply did not come in time.
    ReplyTimedOut,
    /// The server ended the connection with an RST: ECONNRESET, EPIPE.
    Reset,
    /// The server closed the connection before the whole reply had come.
    Closed,
    /// A reply came that is not `pong`.
    WrongReply,
    /// Each local port to this server is in use or in TIME_WAIT:
    /// EADDRNOTAVAIL. `man 7 ip`, `ip_local_port_range`.
    OutOfPorts,
    /// This process or the system has no free descriptor: EMFILE, ENFILE.
    OutOfDescriptors,
    /// No route leads there: ENETUNREACH, EHOSTUNREACH.
    Unreachable,
    /// Any other `errno`.
    Other(i32),
}

impl From<Errno> for Problem {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ECONNREFUSED => Self::Refused,
            Errno::ETIMEDOUT => Self::ReplyTimedOut,
            Errno::ECONNRESET | Errno::ECONNABORTED | Errno::EPIPE => {
                Self::Reset
            }
            Errno::EADDRNOTAVAIL | Errno::EADDRINUSE => Self::OutOfPorts,
            Errno::EMFILE | Errno::ENFILE => Self::OutOfDescriptors,
            Errno::ENETUNREACH | Errno::EHOSTUNREACH => Self::Unreachable,
            other => Self::Other(other as i32),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Errno::from_raw(error.raw_os_error().unwrap_or(0)).into()
    }
}
// ANCHOR_END: problem

impl Problem {
    /// The name of this kind in `--json`.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Refused => "connection_refused".into(),
            Self::ConnectTimedOut => "connect_timed_out".into(),
            Self::ReplyTimedOut => "reply_timed_out".into(),
            Self::Reset => "reset".into(),
            Self::Closed => "closed_without_reply".into(),
            Self::WrongReply => "wrong_reply".into(),
            Self::OutOfPorts => "out_of_local_ports".into(),
            Self::OutOfDescriptors => "out_of_descriptors".into(),
            Self::Unreachable => "unreachable".into(),
            Self::Other(errno) => format!("errno_{errno}"),
        }
    }

    /// This kind, in words.
    #[must_use]
    pub fn worded(self, language: Language) -> String {
        let (japanese, english) = match self {
            Self::Refused => ("接続を拒否された", "connection refused"),
            Self::ConnectTimedOut => {
                ("接続がタイムアウト", "connecting timed out")
            }
            Self::ReplyTimedOut => ("応答がタイムアウト", "no reply in time"),
            Self::Reset => {
                ("接続がリセットされた", "connection reset by the server")
            }
            Self::Closed => {
                ("応答の前に接続が閉じられた", "closed without a reply")
            }
            Self::WrongReply => ("応答が pong ではない", "reply is not pong"),
            Self::OutOfPorts => ("ローカルポートの枯渇", "out of local ports"),
            Self::OutOfDescriptors => {
                ("ファイルディスクリプタの枯渇", "out of file descriptors")
            }
            Self::Unreachable => ("到達できない", "host unreachable"),
            Self::Other(errno) => {
                return io::Error::from_raw_os_error(errno).to_string();
            }
        };
        language.pick(japanese, english).into()
    }

    /// What the reader can do about it, where that is not plain.
    // ANCHOR: hint
    pub(crate) fn hint(
        self,
        server: SocketAddr,
        language: Language,
    ) -> Option<String> {
        let (japanese, english) = match self {
            Self::Refused => (
                format!(
                    "{server} にサーバーがいません。起動するか(例: cargo run \
                     --release --bin 04-epoll)、--port で指定してください"
                ),
                format!(
                    "nobody listens on {server}: start a server (cargo run \
                     --release --bin 04-epoll), or choose its --port"
                ),
            ),
            Self::OutOfPorts => (
                "TIME_WAIT が終わるまで1分待つか、--keep-alive \
                 を指定してください"
                    .into(),
                "wait a minute until TIME_WAIT is over, or use --keep-alive"
                    .into(),
            ),
            Self::OutOfDescriptors => (
                "--threads を減らすか、ulimit -n を増やしてください".into(),
                "use fewer --threads, or raise ulimit -n".into(),
            ),
            Self::ConnectTimedOut | Self::ReplyTimedOut => (
                "サーバーの状態を確認するか、--timeout を延ばしてください"
                    .into(),
                "see whether the server is stuck, or allow a longer --timeout"
                    .into(),
            ),
            Self::WrongReply => (
                format!("{server} は ping-pong サーバーではないようです"),
                format!("{server} seems to be no ping-pong server"),
            ),
            _ => return None,
        };
        Some(language.pick(japanese, english))
    }
    // ANCHOR_END: hint
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;
    use protocol::Language;

    use super::Problem;

    #[test]
    fn an_errno_is_the_problem_that_it_stands_for() {
        for (errno, problem) in [
            (Errno::ECONNREFUSED, Problem::Refused),
            (Errno::EADDRNOTAVAIL, Problem::OutOfPorts),
            (Errno::EMFILE, Problem::OutOfDescriptors),
            (Errno::EPIPE, Problem::Reset),
            (Errno::ENETUNREACH, Problem::Unreachable),
            (Errno::EACCES, Problem::Other(Errno::EACCES as i32)),
        ] {
            assert_eq!(Problem::from(errno), problem);
            let error = std::io::Error::from(errno);
            assert_eq!(Problem::from(error), problem);
        }
    }

    #[test]
    fn out_of_ports_names_the_remedies() {
        let server = ([127, 0, 0, 1], 8888).into();
        let hint = Problem::OutOfPorts.hint(server, Language::English);
        assert!(hint.is_some_and(|hint| hint.contains("--keep-alive")));
    }
}
