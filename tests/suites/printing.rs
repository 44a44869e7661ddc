//! What the step's server prints: the article's lines, in either language, and
//! nothing that could do harm.

use std::net::TcpListener;

use harness::{
    CaseError, CaseResult, Launch, Server, Signal, StdoutReader, TIMEOUT,
    server_of_this_step,
    steps::{self, can_run},
};

const JAPANESE: &str = "ja_JP.UTF-8";

fn name() -> &'static str {
    server_of_this_step!().0
}

fn launch() -> Launch {
    steps::launch(server_of_this_step!().1)
}

/// `ping`, `hello`, and Ctrl-C after the client has left; what the server
/// printed, with the ports and the descriptor of the article.
fn transcript(launch: &Launch, ended: &str) -> Result<String, CaseError> {
    let server = launch.start(TIMEOUT)?;
    let mut client = server.connect()?;
    let peer = client.address()?.to_string();
    client.ask(b"ping\n", b"pong\n")?;
    client.ask(b"hello\n", "受信しました: hello\n".as_bytes())?;
    drop(client);
    let process = server.process()?;
    let text = process.stdout.wait_for(TIMEOUT, |text| text.contains(ended));
    let after = shut_down(&server, Signal::SIGINT, text.len())?;
    let text = (text + &after)
        .replace(&peer, "127.0.0.1:54321")
        .replace(&server.address().to_string(), "127.0.0.1:8888");
    Ok(masked(&text))
}

/// Sends `signal`; what the server prints after the first `from` bytes.
fn shut_down(
    server: &Server,
    signal: Signal,
    from: usize,
) -> Result<String, CaseError> {
    let process = server.process()?;
    process.ends_in_order(signal)?;
    assert_eq!(process.stderr.wait_for(TIMEOUT, |_| false), "");
    let text = process.stdout.wait_for(TIMEOUT, |_| false);
    Ok(text[from..].to_owned())
}

/// Any descriptor is as good as the article's.
fn masked(text: &str) -> String {
    match text.split_once("(fd=") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}(fd=7{after}")
        }
        None => text.to_owned(),
    }
}

#[test]
fn prints_the_lines_of_the_article_in_japanese() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    let (listening, ended) = match name() {
        "04-epoll" | "07-cores" | "08-async" => (
            "[*] epollサーバー起動: 127.0.0.1:8888",
            "[*] クライアント接続終了 (fd=7)",
        ),
        "09-uring" => (
            "[*] サーバー起動: 127.0.0.1:8888",
            "[*] クライアント接続終了 (fd=7)",
        ),
        _ => (
            "[*] サーバー起動: 127.0.0.1:8888",
            "[*] クライアントが接続を閉じました\n[*] 接続終了",
        ),
    };
    let expected = format!(
        "{listening}
[*] クライアント接続: 127.0.0.1:54321
[*] 受信: ping
[*] 送信: pong
[*] 受信: hello
[*] 送信: 受信しました: hello
{ended}

[*] シグナル 2 を受信。サーバーを終了します
"
    );
    let server = launch().env("LANG", JAPANESE);
    assert_eq!(transcript(&server, "接続終了")?, expected);
    Ok(())
}

#[test]
fn prints_the_same_lines_in_english() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    let (listening, ended) = match name() {
        "04-epoll" | "07-cores" | "08-async" => (
            "[*] epoll server listening on 127.0.0.1:8888",
            "[*] connection ended (fd=7)",
        ),
        "09-uring" => {
            ("[*] listening on 127.0.0.1:8888", "[*] connection ended (fd=7)")
        }
        _ => (
            "[*] listening on 127.0.0.1:8888",
            "[*] client closed the connection\n[*] connection ended",
        ),
    };
    let expected = format!(
        "{listening}
[*] client connected: 127.0.0.1:54321
[*] received: ping
[*] sent: pong
[*] received: hello
[*] sent: 受信しました: hello
{ended}

[*] received signal 2, shutting down
"
    );
    assert_eq!(transcript(&launch(), "connection ended")?, expected);
    Ok(())
}

#[test]
fn takes_its_language_from_the_locale_in_posix_order() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    // LC_ALL, LC_MESSAGES, LANG; an empty variable is as good as none.
    for (values, japanese) in [
        (["", "", JAPANESE], true),
        (["", "", "ja"], true),
        (["", "", "C.UTF-8"], false),
        (["", "", ""], false),
        (["", JAPANESE, "en_US.UTF-8"], true),
        (["", "en_US.UTF-8", JAPANESE], false),
        ([JAPANESE, "C", "C"], true),
        (["C", JAPANESE, JAPANESE], false),
        (["", JAPANESE, ""], true),
    ] {
        let server = launch()
            .env("LC_ALL", values[0])
            .env("LC_MESSAGES", values[1])
            .env("LANG", values[2])
            .start(TIMEOUT)?;
        let line = server.process()?.stdout.first_line(TIMEOUT);
        assert_eq!(
            line.contains("サーバー起動"),
            japanese,
            "{values:?}: {line}"
        );
    }
    Ok(())
}

/// A client that is closed as idle, or by a shutdown, has not left.
#[test]
fn says_why_a_connection_ended() -> CaseResult {
    let left = "[*] client closed the connection\n";
    let idle = "[*] client was idle for too long\n";
    if limits_idle_clients() {
        let server = launch().args(&["--idle-timeout", "1"]).start(TIMEOUT)?;
        let mut client = server.connect()?;
        client.expect_end()?;
        drop(client);
        let ended = |text: &str| text.contains("[*] connection ended");
        let text = server.process()?.stdout.wait_for(TIMEOUT, ended);
        assert!(text.contains(idle) && !text.contains(left), "{text}");
    }
    let server = launch().start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let text = shut_down(&server, Signal::SIGTERM, 0)?;
    assert!(!text.contains(idle) && !text.contains(left), "{text}");
    Ok(())
}

fn limits_idle_clients() -> bool {
    steps::targets(name())
        .any(|target| target.limits.contains(&"--idle-timeout"))
}

#[test]
fn escapes_what_could_drive_the_terminal_of_who_watches() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    let server = launch().start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.send(b"\x1b[2J\x07\0\x7f\xff\xc2\x9b\r\r\n")?;
    let reply = b": \x1b[2J\x07\0\x7f\xff\xc2\x9b\r\n";
    client.expect(&["受信しました".as_bytes(), reply].concat())?;
    let process = server.process()?;
    let text = process.stdout.wait_for(TIMEOUT, |text| text.contains("sent:"));
    let shown = r"\x1b[2J\x07\x00\x7f\xff\u{9b}\x0d";
    assert!(text.contains(&format!("[*] received: {shown}\n")), "{text:?}");
    let raw = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(raw), "{text:?}");
    Ok(())
}

#[test]
fn prints_two_things_where_it_is_quiet() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    for option in ["--quiet", "-q"] {
        let server = launch().args(&[option]).start(TIMEOUT)?;
        server.still_serves()?;
        let listening = server.process()?.stdout.first_line(TIMEOUT);
        let text = shut_down(&server, Signal::SIGTERM, 0)?;
        let last = "\n[*] received signal 15, shutting down\n";
        assert_eq!(text, format!("{listening}\n{last}"));
        assert_eq!(server.process()?.stderr.text(), "");
    }
    Ok(())
}

#[test]
fn needs_no_reader_of_its_stdout_where_it_is_quiet() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    for reader in
        [StdoutReader::Absent, StdoutReader::Leaves, StdoutReader::Stalls]
    {
        let server =
            launch().args(&["--quiet"]).reader(reader).start(TIMEOUT)?;
        let mut client = server.connect()?;
        client.exchange(b"ping\n".repeat(10_000), &b"pong\n".repeat(10_000))?;
        drop(client);
        let ended = server.process()?.ends_in_order(Signal::SIGTERM);
        ended.map_err(|error| error.with("stdout", format!("{reader:?}")))?;
    }
    Ok(())
}

#[test]
fn listens_on_ipv6() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    if let Err(error) = TcpListener::bind("[::1]:0") {
        eprintln!("skipped: this machine has no IPv6 address ::1: {error}");
        return Ok(());
    }
    let server = launch().args(&["--host", "::1"]).start(TIMEOUT)?;
    assert!(server.address().is_ipv6(), "{}", server.address());
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let peer = client.address()?;
    let expected = format!("[*] client connected: {peer}\n");
    let process = server.process()?;
    let text = process.stdout.wait_for(TIMEOUT, |text| text.contains("sent:"));
    assert!(text.contains(&expected), "{text}");
    Ok(())
}

#[test]
fn loses_whole_lines_where_its_reader_is_slow_and_serves_on() -> CaseResult {
    if !can_run(name()) {
        return Ok(());
    }
    const REQUEST: &[u8] = b"hello\n";
    const REPLY: &str = "受信しました: hello\n";
    let server = launch().reader(StdoutReader::Slow).start(TIMEOUT)?;
    let process = server.process()?;
    let mut client = server.connect()?;
    let mut after_the_last_sip = 0;
    while after_the_last_sip < 20 {
        client.ask(&REQUEST.repeat(200), REPLY.repeat(200).as_bytes())?;
        after_the_last_sip += u32::from(process.stdout.has_ended());
    }
    process.ends_in_order(Signal::SIGTERM)?;

    let text = process.stdout.text();
    // The last sip may end in the middle of a line.
    let (text, _) = text.rsplit_once('\n').unwrap_or_default();
    assert!(text.contains("lines dropped"), "{text}");
    for line in text.lines().skip(2) {
        let whole = ["[*] received: hello", "[*] sent: 受信しました: hello"];
        let lost = line.starts_with("[!] ") && line.ends_with("not read");
        assert!(whole.contains(&line) || lost, "{line:?} in:\n{text}");
    }
    Ok(())
}
