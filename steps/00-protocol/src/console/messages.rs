//! What the servers print: the article's words, in Japanese or in English.

use std::fmt::{self, Arguments, Display, Formatter};
use std::net::SocketAddr;
use std::os::fd::RawFd;

use crate::Frame;

/// The language of what a program prints. What goes over the wire does not
/// depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The article's own.
    Japanese,
    /// That of every other locale.
    English,
}

impl Language {
    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES`
    /// and `LANG` that is set and not empty decides. `man 7 locale`.
    pub fn from_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty());
        match locale {
            Some(name) if name.as_encoded_bytes().starts_with(b"ja") => {
                Self::Japanese
            }
            _ => Self::English,
        }
    }

    /// Chooses between two wordings of one text.
    pub fn pick<T>(self, japanese: T, english: T) -> T {
        match self {
            Self::Japanese => japanese,
            Self::English => english,
        }
    }
}

/// A value as it reads in a language.
#[derive(Clone, Copy, Debug)]
pub struct Localized<T>(pub T, pub Language);

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
    /// A client sent and took nothing for the idle timeout.
    IdleTimeout,
    /// A connection was closed; step 04 names its descriptor.
    Ended(Option<RawFd>),
    /// This signal asked the server to stop.
    ShuttingDown(i32),
    /// Step 07 has stopped, and so many clients were not accepted any more.
    LeftInQueue(usize),
    /// So many lines were not printed, since they were not read.
    Dropped(usize),
}

impl Display for Localized<Message<'_>> {
    #[expect(clippy::too_many_lines, reason = "one table of all texts")]
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = |japanese: Arguments<'_>, english: Arguments<'_>| {
            f.write_fmt(self.1.pick(japanese, english))
        };
        match self.0 {
            Message::Listening(address) => text(
                format_args!("[*] サーバー起動: {address}"),
                format_args!("[*] listening on {address}"),
            ),
            Message::EpollListening(address) => text(
                format_args!("[*] epollサーバー起動: {address}"),
                format_args!("[*] epoll server listening on {address}"),
            ),
            Message::Connected(peer) => text(
                format_args!("[*] クライアント接続: {peer}"),
                format_args!("[*] client connected: {peer}"),
            ),
            Message::Received(Frame::Line(line)) => text(
                format_args!("[*] 受信: {}", Printable(line)),
                format_args!("[*] received: {}", Printable(line)),
            ),
            Message::Received(Frame::TooLong) => text(
                format_args!("[*] 受信: (1000バイトを超える行)"),
                format_args!("[*] received: (a line of more than 1000 bytes)"),
            ),
            Message::Sent(reply) => {
                let line = reply.strip_suffix(b"\n").unwrap_or(reply);
                text(
                    format_args!("[*] 送信: {}", Printable(line)),
                    format_args!("[*] sent: {}", Printable(line)),
                )
            }
            Message::PeerClosed => text(
                format_args!("[*] クライアントが接続を閉じました"),
                format_args!("[*] client closed the connection"),
            ),
            Message::IdleTimeout => text(
                format_args!("[*] クライアントが無通信のため切断"),
                format_args!("[*] client was idle for too long"),
            ),
            Message::Ended(None) => text(
                format_args!("[*] 接続終了"),
                format_args!("[*] connection ended"),
            ),
            Message::Ended(Some(fd)) => text(
                format_args!("[*] クライアント接続終了 (fd={fd})"),
                format_args!("[*] connection ended (fd={fd})"),
            ),
            // The empty line gets off the line on which ^C was echoed.
            Message::ShuttingDown(signal) => text(
                format_args!(
                    "\n[*] シグナル {signal} を受信。サーバーを終了します"
                ),
                format_args!("\n[*] received signal {signal}, shutting down"),
            ),
            Message::LeftInQueue(count) => text(
                format_args!("[*] 受け付けずに閉じた接続: {count}"),
                format_args!("[*] clients left in the accept queue: {count}"),
            ),
            Message::Dropped(lines) => text(
                format_args!(
                    "[!] 出力が読まれず、{lines} 行を表示できませんでした"
                ),
                format_args!("[!] {lines} lines dropped: they were not read"),
            ),
        }
    }
}

/// A peer's bytes, safe to show: what could drive the terminal on which the
/// log is watched is escaped (`\x1b`), the rest is shown as it is.
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
