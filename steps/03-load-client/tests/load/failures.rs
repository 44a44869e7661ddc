//! Servers that misbehave, and arguments that can't be used.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

use crate::Case;
use crate::command::{TIMEOUT, client, client_with, json, plain, stdout};
use crate::servers::{
    Rogue, Server, deaf_port, full_queue, read_line, until_closed,
};

pub(crate) const CASES: &[Case] = crate::cases![
    says_what_to_do_where_nobody_listens,
    says_it_in_japanese_too,
    notices_a_wrong_reply,
    notices_more_than_was_asked_for,
    notices_replies_that_come_after_the_one_that_was_asked_for,
    notices_a_reply_that_comes_before_the_request,
    failed_requests_count_with_the_time_until_they_failed,
    a_timer_that_was_inherited_ends_nothing,
    says_that_there_is_no_memory_for_so_many_threads,
    notices_a_server_that_closes_without_a_reply,
    notices_half_a_reply,
    notices_a_reset,
    gives_up_on_a_server_that_never_answers,
    gives_up_on_a_server_that_trickles,
    counts_a_reply_after_the_timeout_as_none,
    gives_up_on_a_server_that_does_not_let_it_in,
    goes_on_when_out_of_descriptors,
    says_that_its_results_were_lost,
    says_how_a_host_is_written,
    refuses_unusable_arguments,
];

fn says_what_to_do_where_nobody_listens() {
    let (_socket, port) = deaf_port();
    let mut client = client(port);
    let hint = contains("cargo run --release --bin 04-epoll")
        .and(contains(format!("no server listens on 127.0.0.1:{port}")));
    client
        .arg("1000")
        .assert()
        .code(1)
        .stdout(contains("Successful requests: 0 / 1000\n"))
        .stdout(contains("     1000  connection refused\n"))
        .stderr(starts_with("[!] 1000 requests failed: ").and(hint))
        .stderr(contains("\n").count(1));
}

fn says_it_in_japanese_too() {
    let (_socket, port) = deaf_port();
    let mut client = client(port);
    client.env("LC_ALL", "ja_JP.UTF-8");
    client
        .arg("10")
        .assert()
        .code(1)
        .stdout(contains("       10  接続を拒否された\n"))
        .stderr(starts_with("[!] 10 件のリクエストが失敗: 接続を拒否された"))
        .stderr(contains("\n").count(1));
}

/// Runs `arguments` against `port`, where no request succeeds, and checks that
/// all failures are of this kind.
fn fails(port: u16, arguments: &[&str], kind: &str) {
    let result = json(client(port).args(arguments));
    assert_eq!(result["succeeded"], 0, "{result}");
    assert_eq!(result["errors"][kind], result["total"], "{result}");
    assert!(result["latency_us"].is_null(), "{result}");
    let status = client(port).args(arguments).ok();
    let code = status.expect_err("a failure").as_output().map(|o| o.status);
    assert_eq!(code.and_then(|status| status.code()), Some(1));
}

fn notices_a_wrong_reply() {
    let server = Rogue::sends(&[b"pang\n"], Duration::ZERO);
    fails(server.port, &["10"], "wrong_reply");
}

fn notices_more_than_was_asked_for() {
    let server = Rogue::sends(&[b"pong\npong\n"], Duration::ZERO);
    fails(server.port, &["10"], "unrequested_reply");
}

/// Needs 50 ms for a reply and says it twice, 1 ms apart. What comes early is
/// taken for the reply to the next request; but there are too many.
fn notices_replies_that_come_after_the_one_that_was_asked_for() {
    let server = Rogue::start(|mut stream| {
        while read_line(&mut stream) == b"ping\n" {
            std::thread::sleep(Duration::from_millis(50));
            let _ = stream.write_all(b"pong\n");
            std::thread::sleep(Duration::from_millis(1));
            let _ = stream.write_all(b"pong\n");
        }
    });
    let arguments = ["20", "--threads", "1", "--keep-alive"];
    fails(server.port, &arguments, "unrequested_reply");
}

/// Says the reply at once, and again 20 ms after the request. A client that
/// closes with its reply sees the second on its last connection alone.
fn notices_a_reply_that_comes_before_the_request() {
    let server = Rogue::start(|mut stream| {
        let _ = stream.write_all(b"pong\n");
        read_line(&mut stream);
        std::thread::sleep(Duration::from_millis(20));
        let _ = stream.write_all(b"pong\n");
    });
    let result = json(client(server.port).args(["20", "--threads", "2"]));
    assert_eq!(result["errors"]["unrequested_reply"], 2, "{result}");
    assert_eq!(result["lower_bounds_from_us"], 0.0, "{result}");
}

/// Of 400 requests every twentieth gets no reply: 5 %.
fn failed_requests_count_with_the_time_until_they_failed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Rogue::start(move |mut stream| {
        read_line(&mut stream);
        if asked.fetch_add(1, SeqCst) % 20 == 19 {
            return until_closed(&mut stream);
        }
        let _ = stream.write_all(b"pong\n");
    });
    let arguments = ["400", "--threads", "20", "--timeout", "0.5"];
    let result = json(client(server.port).args(arguments));
    assert_eq!(result["errors"]["reply_timed_out"], 20, "{result}");
    let us = |name: &str| result["latency_us"][name].as_f64();
    assert!(us("p50") < Some(400_000.0), "{result}");
    assert!(us("p99") >= Some(499_000.0), "{result}");
    assert!(us("mean") >= Some(25_000.0), "{result}");
    let bound = result["lower_bounds_from_us"].as_f64();
    assert!(bound >= Some(499_000.0), "{result}");
    let text = stdout(client(server.port).args(arguments));
    assert!(text.contains("\n  p99   ≥"), "{text}");
    assert!(text.contains("\n  p50     "), "{text}");
    assert!(text.contains("  ≥ at least: a request without a reply"), "{text}");
}

/// A timer that was set before `exec` ends a process that did not arrange for
/// it. Perl can set one; `ITIMER_VIRTUAL` and `ITIMER_PROF` count the time that
/// we use. Each comes later than any start, and before the end of its run.
fn a_timer_that_was_inherited_ends_nothing() {
    let server = Server::start();
    let program = plain(server.port);
    let (paced, busy) = (&["150", "--rate", "100"], &["20000", "--keep-alive"]);
    for (timer, seconds, arguments) in [
        ("ITIMER_REAL", 1.0, &paced[..]),
        ("ITIMER_VIRTUAL", 0.02, busy),
        ("ITIMER_PROF", 0.1, busy),
    ] {
        let script = format!(
            "use Time::HiRes qw(setitimer {timer}); \
             setitimer({timer}, {seconds}, {seconds}); exec @ARGV or die;"
        );
        let mut perl = Command::new("perl");
        perl.args(["-e", &script]).arg(program.get_program());
        perl.args(program.get_args()).args(arguments);
        perl.timeout(TIMEOUT);
        let Ok(output) = perl.output() else {
            println!("skipped: there is no perl");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let all = format!("requests: {0} / {0}\n", arguments[0]);
        assert!(text.contains(&all), "{timer}: {output:?}");
    }
}

/// What there is no memory for is refused before it is begun.
fn says_that_there_is_no_memory_for_so_many_threads() {
    let program = plain(9);
    let limited = r#"ulimit -v 300000; exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(program.get_program());
    shell.args(program.get_args()).args(["10000", "--threads", "10000"]);
    shell.assert().code(1).stderr(starts_with("[!] ").and(contains("memory")));
}

fn notices_a_server_that_closes_without_a_reply() {
    let server = Rogue::start(|mut stream| drop(read_line(&mut stream)));
    fails(server.port, &["10"], "closed_without_reply");
}

fn notices_half_a_reply() {
    let server = Rogue::start(|mut stream| {
        read_line(&mut stream);
        let _ = stream.write_all(b"pon");
    });
    fails(server.port, &["10"], "closed_without_reply");
}

fn notices_a_reset() {
    // To close a connection with unread input is to reset it.
    let server = Rogue::start(|stream| drop(stream.peek(&mut [0])));
    fails(server.port, &["10"], "reset");
}

/// As [`fails`], and soon: all threads wait at the same time.
fn times_out(port: u16, kind: &str) {
    let start = Instant::now();
    fails(port, &["4", "--threads", "4", "--timeout", "0.3"], kind);
    let (least, most) = (Duration::from_millis(600), Duration::from_secs(4));
    assert!((least..most).contains(&start.elapsed()), "{:?}", start.elapsed());
}

fn gives_up_on_a_server_that_never_answers() {
    let server = Rogue::start(|mut stream| until_closed(&mut stream));
    times_out(server.port, "reply_timed_out");
}

/// It comes before the main thread has looked at the deadline.
fn counts_a_reply_after_the_timeout_as_none() {
    let server = Rogue::start(|mut stream| {
        read_line(&mut stream);
        std::thread::sleep(Duration::from_millis(3));
        let _ = stream.write_all(b"pong\n");
        until_closed(&mut stream);
    });
    let arguments = ["9", "--threads", "1", "--timeout", "0.001"];
    fails(server.port, &arguments, "reply_timed_out");
}

fn gives_up_on_a_server_that_trickles() {
    // Each wait is short. The whole reply takes 0.8 s.
    let pause = Duration::from_millis(200);
    let server = Rogue::sends(&[b"p", b"o", b"n", b"g", b"\n"], pause);
    times_out(server.port, "reply_timed_out");
}

fn gives_up_on_a_server_that_does_not_let_it_in() {
    let (_listener, _first, port) = full_queue();
    times_out(port, "connect_timed_out");
}

fn goes_on_when_out_of_descriptors() {
    let server = Rogue::start(|mut stream| until_closed(&mut stream));
    let program = plain(server.port);
    let limited = r#"ulimit -n 9; exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(program.get_program());
    shell.args(program.get_args()).args(["20", "--timeout", "0.3"]);
    let result = json(&mut shell);
    assert_eq!(result["failed"], 20, "{result}");
    let out = result["errors"]["out_of_descriptors"].as_u64();
    assert!(out > Some(0), "{result}");
}

fn says_that_its_results_were_lost() {
    let Ok(full) = std::fs::File::create("/dev/full") else {
        println!("skipped: this system has no /dev/full");
        return;
    };
    let (_socket, port) = deaf_port();
    let mut client = plain(port);
    let output = client.arg("1").stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("[!] the results could not be printed: No sp"),
        "{stderr}"
    );
}

/// A link-local address needs its interface, and a name is no address.
fn says_how_a_host_is_written() {
    for host in ["localhost", "[::1]", "127.1", "fe80::1%nonsense"] {
        client_with(&["1", "--host", host])
            .assert()
            .code(2)
            .stderr(contains("such as 127.0.0.1").and(contains("fe80::1%")));
    }
    let (_socket, port) = deaf_port();
    let mut client = client(port);
    client.args(["1", "--host", "fe80::1%lo", "--timeout", "1"]);
    client.assert().code(1).stderr(starts_with("[!] 1 request failed: "));
}

fn refuses_unusable_arguments() {
    let numbers = [
        ("", vec!["0", "-1", "abc", "1e4", "10x", "9999999999999999999999"]),
        ("--threads", vec!["0", "-1", "ten", "10001"]),
        ("--port", vec!["0", "65536", "http"]),
        ("--host", vec!["example.org", "127.0.0", "::1::"]),
        ("--rate", vec!["0", "-5", "inf", "nan", "fast", "1e300"]),
        ("--timeout", vec!["0", "-1", "inf", "nan", "soon", "1e300"]),
    ];
    for (option, values) in numbers {
        for value in values {
            let assigned = format!("{option}={value}");
            let arguments = match option {
                "" => ["--", value],
                _ => ["1", &assigned],
            };
            let named = contains(format!("invalid value '{value}'"));
            client_with(&arguments).assert().code(2).stderr(named);
        }
    }
    client_with(&[]).assert().code(2);
}
