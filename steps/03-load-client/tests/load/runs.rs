//! Runs that go well.

use std::io::Write;
use std::time::{Duration, Instant};

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use predicates::str::{contains, diff, is_empty};

use crate::Case;
use crate::command::{client, json, plain, stdout};
use crate::servers::{Rogue, Server, read_line, until_closed};

pub(crate) const CASES: &[Case] = crate::cases![
    makes_one_request,
    makes_all_of_10005_requests,
    prints_the_articles_lines_in_japanese,
    prints_the_same_lines_in_english,
    says_so_when_the_shares_differ,
    starts_no_more_threads_than_there_are_requests,
    makes_a_connection_for_each_request,
    keeps_a_connection_per_thread_when_asked_to,
    connects_again_after_a_kept_connection_failed,
    accepts_a_reply_in_pieces,
    speaks_ipv6,
    survives_a_closed_stdout,
    shows_no_progress_bar_in_a_pipe,
];

fn makes_one_request() {
    let server = Server::start();
    let mut client = client(server.port);
    let one = contains("Successful requests: 1 / 1\n");
    client.arg("1").assert().success().stdout(one).stderr(is_empty());
}

fn makes_all_of_10005_requests() {
    let server = Server::start();
    let result = json(client(server.port).arg("10005"));
    assert_eq!(result["succeeded"], 10_005, "{result}");
    assert_eq!(result["total"], 10_005, "{result}");
    assert_eq!(result["failed"], 0, "{result}");
}

/// The text with each number that has a fraction shown as `#`.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let figure = word.contains('.') && word.parse::<f64>().is_ok();
            if figure { "#" } else { word }
        });
        masked += &words.collect::<Vec<_>>().join(" ");
        masked.push('\n');
    }
    masked
}

fn prints_the_articles_lines_in_japanese() {
    let server = Server::start();
    let mut client = client(server.port);
    client.env_remove("LC_ALL").env("LANG", "ja_JP.UTF-8");
    let text = masked(&stdout(client.arg("1000")));
    let article = "\
TCPサーバーに対して負荷テストを実行します...
総リクエスト数: 1000 (スレッドあたり 100 リクエスト x 10 スレッド)

負荷テスト結果:
総経過時間: # 秒
成功リクエスト: 1000 / 1000
リクエスト/秒: #
";
    let lines: String = text.split_inclusive('\n').take(7).collect();
    assert!(diff(article).eval(&lines), "{text}");
    let rest: Vec<&str> = text.lines().skip(7).collect();
    let names: Vec<&str> = rest
        .iter()
        .map(|line| line.split_whitespace().next().unwrap_or(""))
        .collect();
    let expected = [
        "",
        "レイテンシ",
        "平均",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "最大",
        "平均のうちクライアントのCPU待ち",
    ];
    assert_eq!(names, expected, "{text}");
}

fn prints_the_same_lines_in_english() {
    let server = Server::start();
    let text = masked(&stdout(client(server.port).arg("1000")));
    let expected = "\
Load testing the TCP server...
Total requests: 1000 (100 requests per thread x 10 threads)

Load test results:
Elapsed time: # s
Successful requests: 1000 / 1000
Requests/second: #

Latency (ms):
";
    assert!(text.starts_with(expected), "{text}");
    for name in ["mean", "p50", "p90", "p99", "p99.9", "max"] {
        assert!(text.contains(&format!("\n  {name} ")), "{name}: {text}");
    }
}

fn says_so_when_the_shares_differ() {
    let server = Server::start();
    let mut english = client(server.port);
    let shares = "25 (2–3 requests per thread x 10 threads)";
    english.arg("25").assert().success().stdout(contains(shares));
    let mut japanese = client(server.port);
    japanese.env("LC_ALL", "ja_JP.UTF-8");
    let shares = "25 (スレッドあたり 2–3 リクエスト x 10 スレッド)";
    japanese.arg("25").assert().success().stdout(contains(shares));
}

fn starts_no_more_threads_than_there_are_requests() {
    let server = Server::start();
    let mut client = client(server.port);
    let capped = contains("3 (1 requests per thread x 3 threads)");
    client.args(["3", "--threads", "9999"]).assert().stdout(capped);
}

/// A server that answers every line of a connection.
fn honest() -> Rogue {
    Rogue::start(|mut stream| {
        while read_line(&mut stream) == b"ping\n" {
            let _ = stream.write_all(b"pong\n");
        }
    })
}

fn makes_a_connection_for_each_request() {
    let server = honest();
    client(server.port).arg("25").assert().success();
    assert_eq!(server.connections(), 25);
}

fn keeps_a_connection_per_thread_when_asked_to() {
    let server = honest();
    let mut client = client(server.port);
    client.args(["100", "--threads", "3", "--keep-alive"]);
    client.assert().success();
    assert_eq!(server.connections(), 3);
}

fn connects_again_after_a_kept_connection_failed() {
    let server = Rogue::start(|mut stream| {
        read_line(&mut stream);
        let _ = stream.write_all(b"pong\n");
        read_line(&mut stream); // and no reply to this one
    });
    let mut client = client(server.port);
    let result = json(client.args(["4", "--threads", "1", "--keep-alive"]));
    assert_eq!(result["succeeded"], 2, "{result}");
    assert_eq!(result["errors"]["closed_without_reply"], 2, "{result}");
    assert_eq!(server.connections(), 2);
}

fn accepts_a_reply_in_pieces() {
    let pause = Duration::from_millis(20);
    let server = Rogue::sends(&[b"po", b"ng\n"], pause);
    let start = Instant::now();
    client(server.port).args(["4", "--threads", "2"]).assert().success();
    assert!(start.elapsed() >= 2 * pause);
}

fn speaks_ipv6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let server = Server::on("::1");
    let mut client = client(server.port);
    client.args(["20", "--host", "::1"]).assert().success();
}

fn survives_a_closed_stdout() {
    let server = Server::start();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut client = plain(server.port);
    let output = client.arg("10").stdout(writer).output().expect("runs");
    output.assert().success().stderr(is_empty());
}

fn shows_no_progress_bar_in_a_pipe() {
    let server = Rogue::start(|mut stream| {
        read_line(&mut stream);
        std::thread::sleep(Duration::from_millis(100));
        let _ = stream.write_all(b"pong\n");
        until_closed(&mut stream);
    });
    let mut client = client(server.port);
    client.args(["20", "--json"]).assert().success().stderr(is_empty());
}
