//! What the servers print: the article's words, in Japanese or in English.

use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use crate::Frame;

/// The language of what a program prints. What goes over the wire does not
/// depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The article's own.
    Japanese,
    /// For everybody else.
    English,
}

impl Language {
    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES`
    /// and `LANG` that is set and not empty decides. `man 7 locale`.
    #[must_use]
    pub fn from_environment() -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .map_or(Self::English, |value| Self::of_locale(&value))
    }

    fn of_locale(name: &OsStr) -> Self {
        if name.as_encoded_bytes().starts_with(b"ja") {
            Self::Japanese
        } else {
            Self::English
        }
    }

    /// Chooses between two wordings of one text.
    #[must_use]
    pub fn pick<T>(self, japanese: T, english: T) -> T {
        match self {
            Self::Japanese => japanese,
            Self::English => english,
        }
    }
}

/// One line of a server's output.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// Steps 01 and 02 are ready for clients.
    Listening(SocketAddr),
    /// Step 04 is ready for clients.
    EpollListening(SocketAddr),
    /// A client was accepted.
    Connected(SocketAddr),
    /// A line came in.
    Received(Frame<'a>),
    /// A reply, its `\n` included, is on its way.
    Sent(&'a [u8]),
    /// The peer sent its FIN.
    PeerClosed,
    /// A client sent nothing for the idle timeout.
    Idle,
    /// Steps 01 and 02 closed a connection.
    Ended,
    /// Step 04 closed the connection with this descriptor.
    EndedDescriptor(i32),
    /// This signal asked the server to stop.
    Stopping(i32),
    /// So many lines were not printed, since nobody read them.
    Lost(usize),
}

impl Message<'_> {
    /// The message in `language`, without a newline at its end.
    #[must_use]
    pub fn in_language(self, language: Language) -> impl Display {
        struct Worded<'a>(Message<'a>, Language);
        impl Display for Worded<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match self.1 {
                    Language::Japanese => self.0.japanese(f),
                    Language::English => self.0.english(f),
                }
            }
        }
        Worded(self, language)
    }

    fn japanese(self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(at) => write!(f, "[*] サーバー起動: {at}"),
            Self::EpollListening(at) => {
                write!(f, "[*] epollサーバー起動: {at}")
            }
            Self::Connected(peer) => {
                write!(f, "[*] クライアント接続: {peer}")
            }
            Self::Received(Frame::Line(line)) => {
                write!(f, "[*] 受信: {}", Printable(line))
            }
            Self::Received(Frame::TooLong) => {
                write!(f, "[*] 受信: (1000バイトを超える行)")
            }
            Self::Sent(reply) => write!(f, "[*] 送信: {}", text(reply)),
            Self::PeerClosed => {
                write!(f, "[*] クライアントが接続を閉じました")
            }
            Self::Idle => write!(f, "[*] クライアントが無通信のため切断"),
            Self::Ended => write!(f, "[*] 接続終了"),
            Self::EndedDescriptor(fd) => {
                write!(f, "[*] クライアント接続終了 (fd={fd})")
            }
            Self::Stopping(signal) => write!(
                f,
                "\n[*] シグナル {signal} を受信。サーバーを終了します"
            ),
            Self::Lost(lines) => {
                write!(
                    f,
                    "[!] 読み手が止まり、{lines} 行を表示できませんでした"
                )
            }
        }
    }

    fn english(self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(at) => write!(f, "[*] listening on {at}"),
            Self::EpollListening(at) => {
                write!(f, "[*] epoll server listening on {at}")
            }
            Self::Connected(peer) => write!(f, "[*] client connected: {peer}"),
            Self::Received(Frame::Line(line)) => {
                write!(f, "[*] received: {}", Printable(line))
            }
            Self::Received(Frame::TooLong) => {
                write!(f, "[*] received: (a line of more than 1000 bytes)")
            }
            Self::Sent(reply) => write!(f, "[*] sent: {}", text(reply)),
            Self::PeerClosed => write!(f, "[*] client closed the connection"),
            Self::Idle => write!(f, "[*] client was idle for too long"),
            Self::Ended => write!(f, "[*] connection ended"),
            Self::EndedDescriptor(fd) => {
                write!(f, "[*] connection ended (fd={fd})")
            }
            Self::Stopping(signal) => {
                write!(f, "\n[*] received signal {signal}, shutting down")
            }
            Self::Lost(lines) => {
                write!(f, "[!] {lines} lines lost: their reader had stalled")
            }
        }
    }
}

/// A reply as it is shown in a log: without the `\n` that ends it.
fn text(reply: &[u8]) -> Printable<'_> {
    Printable(reply.strip_suffix(b"\n").unwrap_or(reply))
}

/// A peer's bytes, safe to show: whatever could drive the terminal of someone
/// who watches the log is escaped (`\x1b`), the rest stands as it is.
// ANCHOR: printable
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a [u8]);

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\0'..='\x1f' | '\x7f' => {
                        write!(f, "\\x{:02x}", u32::from(character))?;
                    }
                    // C1 controls, and what turns the direction of text.
                    '\u{80}'..='\u{9f}'
                    | '\u{202a}'..='\u{202e}'
                    | '\u{2066}'..='\u{2069}' => {
                        write!(f, "{}", character.escape_unicode())?;
                    }
                    printable => write!(f, "{printable}")?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}
// ANCHOR_END: printable
