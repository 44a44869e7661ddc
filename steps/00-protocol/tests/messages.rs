//! What a server prints: the article's words, and nothing that could do harm.

use protocol::Language::{English, Japanese};
use protocol::{Call, Error, Frame, Message, printable};

#[test]
fn lines_read_as_in_the_article() {
    let at = "127.0.0.1:8888".parse().expect("an address");
    let peer = "127.0.0.1:54321".parse().expect("an address");
    let long = "(1000バイトを超える行)";
    for (message, japanese) in [
        (Message::Listening(at), "サーバー起動: 127.0.0.1:8888"),
        (Message::EpollListening(at), "epollサーバー起動: 127.0.0.1:8888"),
        (Message::Connected(peer), "クライアント接続: 127.0.0.1:54321"),
        (Message::Received(Frame::Line(b"ping")), "受信: ping"),
        (Message::Received(Frame::TooLong), &format!("受信: {long}")),
        (Message::Sent(b"pong\n"), "送信: pong"),
        (Message::PeerClosed, "クライアントが接続を閉じました"),
        (Message::Ended(None), "接続終了"),
        (Message::Ended(Some(7)), "クライアント接続終了 (fd=7)"),
    ] {
        let shown = message.text(Japanese);
        assert_eq!(shown, format!("[*] {japanese}"));
    }
    assert_eq!(
        Message::ShuttingDown(2).text(Japanese),
        "\n[*] シグナル 2 を受信。サーバーを終了します"
    );
}

#[test]
fn every_line_is_there_in_english() {
    let at = "[::1]:8888".parse().expect("an address");
    for (message, english) in [
        (Message::Listening(at), "listening on [::1]:8888"),
        (Message::EpollListening(at), "epoll server listening on [::1]:8888"),
        (Message::Connected(at), "client connected: [::1]:8888"),
        (Message::Received(Frame::Line(b"ping")), "received: ping"),
        (Message::Sent(b"pong\n"), "sent: pong"),
        (Message::PeerClosed, "client closed the connection"),
        (Message::Ended(None), "connection ended"),
        (Message::Ended(Some(7)), "connection ended (fd=7)"),
    ] {
        let shown = message.text(English);
        assert_eq!(shown, format!("[*] {english}"));
    }
    assert_eq!(
        Message::ShuttingDown(15).text(English),
        "\n[*] received signal 15, shutting down"
    );
}

fn error(call: Call, errno: i32) -> Error {
    Error { call, source: std::io::Error::from_raw_os_error(errno) }
}

#[test]
fn an_error_says_what_happened_and_what_to_do() {
    use nix::libc::{
        EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EINVAL, EMFILE, ENOMEM,
        ENOSYS, EPERM,
    };
    for (call, errno, english, japanese, hint) in [
        (Call::Bind, EADDRINUSE, "bind", "バインド", "--port"),
        (Call::Bind, EACCES, "bind", "バインド", "1024"),
        (Call::Bind, EADDRNOTAVAIL, "bind", "バインド", "--host"),
        (Call::Bind, EINVAL, "bind", "バインド", "fe80::1%eth0"),
        (Call::Accept, EMFILE, "accept", "接続の受け入れ", "ulimit -n"),
        (Call::Thread, EAGAIN, "no thread", "スレッド作成", "ulimit -u"),
        (Call::Thread, ENOMEM, "no thread", "スレッド作成", "ulimit -v"),
        (Call::IoUring, ENOSYS, "io_uring", "io_uring", "04-epoll"),
        (Call::IoUring, EPERM, "io_uring", "io_uring", "04-epoll"),
        (Call::IoUring, EINVAL, "io_uring", "io_uring", "04-epoll"),
    ] {
        let error = error(call, errno);
        let shown = error.text(English);
        assert!(shown.starts_with(&format!("[!] {english}")), "{shown}");
        assert!(shown.contains(hint), "{shown}");
        assert_eq!(shown, error.to_string());
        let shown = error.text(Japanese);
        assert!(shown.starts_with(&format!("[!] {japanese}に失敗: ")));
        assert!(shown.contains(hint), "{shown}");
    }
}

#[test]
fn an_error_without_a_remedy_says_what_the_kernel_said() {
    let shown = error(Call::Accept, nix::libc::EPERM).to_string();
    assert!(shown.ends_with("(os error 1)"), "{shown}");
    for call in [Call::Send, Call::IoUring] {
        let shown = error(call, nix::libc::EMFILE).to_string();
        assert!(shown.ends_with("(os error 24)"), "{shown}");
    }
}

#[test]
fn text_is_shown_as_it_is() {
    for text in ["", "ping", "受信しました", "a b\u{a0}c", "🏓", r"\x1b"]
    {
        assert_eq!(printable(text.as_bytes()), text);
    }
}

#[test]
fn what_could_drive_a_terminal_is_escaped() {
    for (bytes, shown) in [
        (&b"\x1b[2J"[..], r"\x1b[2J"),
        (b"\0\x07\t\r\n\x7f", r"\x00\x07\x09\x0d\x0a\x7f"),
        // CSI as one C1 control character, and as a byte that is no UTF-8.
        ("\u{9b}2J".as_bytes(), r"\u{9b}2J"),
        (b"\x9b2J", r"\x9b2J"),
        (b"a\xff\xe5\x8f", r"a\xff\xe5\x8f"),
        // Text that turns its own direction.
        ("\u{202e}gnop".as_bytes(), r"\u{202e}gnop"),
        ("\u{2066}x\u{2069}".as_bytes(), r"\u{2066}x\u{2069}"),
    ] {
        assert_eq!(printable(bytes), shown);
    }
}
