//! What the servers print: the article's words, in Japanese or in English.

use std::net::SocketAddr;
use std::os::fd::RawFd;

use crate::Frame;

/// The language of what a program prints, and not of what it sends.
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
        let japanese = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .is_some_and(|value| value.as_encoded_bytes().starts_with(b"ja"));
        if japanese { Self::Japanese } else { Self::English }
    }

    /// Chooses between two wordings of one text.
    pub fn pick<T>(self, japanese: T, english: T) -> T {
        if self == Self::Japanese { japanese } else { english }
    }
}

/// One line of a server's output.
#[expect(missing_docs, reason = "the texts below say what each is")]
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    Listening(SocketAddr),
    EpollListening(SocketAddr),
    Connected(SocketAddr),
    Received(Frame<'a>),
    /// With its `\n`.
    Sent(&'a [u8]),
    PeerClosed,
    /// It sent and took nothing for the idle timeout.
    IdleTimeout,
    /// Step 04 and those after it name the descriptor.
    Ended(Option<RawFd>),
    ShuttingDown(i32),
    LeftInQueue(usize),
    /// The reader of the log stalled.
    Dropped(usize),
}

impl Message<'_> {
    /// The line that is printed.
    #[expect(clippy::too_many_lines, reason = "one table of all texts")]
    pub fn text(self, language: Language) -> String {
        use Language::{English as En, Japanese as Ja};
        use Message::*;
        match (self, language) {
            (Listening(at), Ja) => format!("[*] サーバー起動: {at}"),
            (Listening(at), En) => format!("[*] listening on {at}"),
            (EpollListening(at), Ja) => format!("[*] epollサーバー起動: {at}"),
            (EpollListening(at), En) => {
                format!("[*] epoll server listening on {at}")
            }
            (Connected(peer), Ja) => format!("[*] クライアント接続: {peer}"),
            (Connected(peer), En) => format!("[*] client connected: {peer}"),
            (Received(Frame::Line(line)), _) => {
                let received = language.pick("[*] 受信: ", "[*] received: ");
                [received, &printable(line)].concat()
            }
            (Received(Frame::TooLong), _) => {
                let japanese = "[*] 受信: (1000バイトを超える行)";
                let english = "[*] received: (a line of more than 1000 bytes)";
                language.pick(japanese, english).into()
            }
            (Sent([line @ .., b'\n'] | line), _) => {
                let sent = language.pick("[*] 送信: ", "[*] sent: ");
                [sent, &printable(line)].concat()
            }
            (PeerClosed, Ja) => "[*] クライアントが接続を閉じました".into(),
            (PeerClosed, En) => "[*] client closed the connection".into(),
            (IdleTimeout, Ja) => "[*] クライアントが無通信のため切断".into(),
            (IdleTimeout, En) => "[*] client was idle for too long".into(),
            (Ended(None), Ja) => "[*] 接続終了".into(),
            (Ended(None), En) => "[*] connection ended".into(),
            (Ended(Some(fd)), Ja) => {
                format!("[*] クライアント接続終了 (fd={fd})")
            }
            (Ended(Some(fd)), En) => format!("[*] connection ended (fd={fd})"),
            // The empty line gets off the line on which ^C was echoed.
            (ShuttingDown(signal), Ja) => {
                format!("\n[*] シグナル {signal} を受信。サーバーを終了します")
            }
            (ShuttingDown(signal), En) => {
                format!("\n[*] received signal {signal}, shutting down")
            }
            (LeftInQueue(count), Ja) => {
                format!("[*] 受け付けずに閉じた接続: {count}")
            }
            (LeftInQueue(count), En) => {
                format!("[*] clients left in the accept queue: {count}")
            }
            (Dropped(lines), Ja) => {
                format!("[!] 出力が読まれず、{lines} 行を表示できませんでした")
            }
            (Dropped(lines), En) => {
                format!("[!] {lines} lines dropped: they were not read")
            }
        }
    }
}

/// A peer's bytes, safe to show: what could drive the terminal on which the
/// log is watched is escaped (`\x1b`), the rest is shown as it is.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0'..='\x1f' | '\x7f' => {
                    text += &format!("\\x{:02x}", u32::from(character));
                }
                // C1 controls, and what turns the direction of text.
                '\u{80}'..='\u{9f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' => {
                    text.extend(character.escape_unicode());
                }
                harmless => text.push(harmless),
            }
        }
        let escape = |byte| format!("\\x{byte:02x}");
        text.extend(chunk.invalid().iter().map(escape));
    }
    text
}
