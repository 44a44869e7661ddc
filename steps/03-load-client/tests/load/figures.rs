//! Rates, latencies, and a run that is ended early.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Case;
use crate::command::{client, json, plain, stdout};
use crate::servers::{Rogue, Server, read_line, until_closed};

pub(crate) const CASES: &[Case] = crate::cases![
    keeps_to_the_rate_it_was_given,
    a_thread_costs_no_histogram,
    says_that_a_rate_was_not_reached,
    says_by_how_much_it_was_late_itself,
    counts_latency_from_when_a_request_was_due,
    reports_percentiles_in_order_as_json,
    prints_what_was_measured_when_interrupted,
    what_was_due_and_not_sent_has_waited_when_interrupted,
    ends_promptly_while_it_waits_for_the_next_due_request,
];

fn keeps_to_the_rate_it_was_given() {
    let server = Server::start();
    let mut client = client(server.port);
    let result = json(client.args(["41", "--rate", "100"]));
    // Request 0 is due at once, and request 40 after 0.4 s.
    assert!(result["seconds"].as_f64() >= Some(0.4), "{result}");
    assert!(result["requests_per_second"].as_f64() < Some(103.0), "{result}");
    assert_eq!(result["succeeded"], 41, "{result}");
}

/// The kilobytes of `pid` that are in memory: `VmRSS`, `man 5 proc`.
fn resident(pid: u32) -> Option<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn a_thread_costs_no_histogram() {
    const THREADS: u64 = 400;
    let (sender, waiting) = mpsc::channel();
    let server = Rogue::start(move |mut stream| {
        for _ in 0..4 {
            read_line(&mut stream);
            let _ = stream.write_all(b"pong\n");
        }
        read_line(&mut stream);
        let _ = sender.send(());
        until_closed(&mut stream);
    });
    let threads = THREADS.to_string();
    let arguments = ["99999", "--keep-alive", "--threads", &threads];
    let client = Running::start(server.port, &arguments);
    for _ in 0..THREADS {
        let deadline = Duration::from_secs(20);
        waiting.recv_timeout(deadline).expect("a thread that waits in recv");
    }
    let Some(kilobytes) = resident(client.child.id()) else {
        println!("skipped: this system has no /proc");
        return;
    };
    client.interrupt();
    assert!(kilobytes < THREADS * 60, "{kilobytes} kB");
}

fn says_that_a_rate_was_not_reached() {
    let server = Server::start();
    let arguments = ["500", "--threads", "1", "--rate", "1000000"];
    let result = json(client(server.port).args(arguments));
    assert_eq!(result["rate"], 1e6, "{result}");
    let sent = result["sent_per_second"].as_f64();
    assert!(sent > Some(0.0) && sent < Some(500_000.0), "{result}");
    let text = stdout(client(server.port).args(arguments));
    assert!(text.contains(" (asked for: 1000000)\n"), "{text}");
    assert!(text.contains("The rate was not reached"), "{text}");
}

/// Stopped for 0.3 s, the client cannot send what is due meanwhile. That is
/// in the latency, and it is not the server's.
/// It is stopped while it waits for the next request to be due: that is its own
/// delay. (While it waits for a reply a stop is a part of that reply's time.)
fn says_by_how_much_it_was_late_itself() {
    const GAP: Duration = Duration::from_millis(100);
    let (sender, answered) = mpsc::channel();
    let server = Rogue::start(move |mut stream| {
        while read_line(&mut stream) == b"ping\n" {
            let _ = stream.write_all(b"pong\n");
            let _ = sender.send(());
        }
    });
    let arguments = ["20", "--threads", "1", "--rate", "10", "--keep-alive"];
    let client = Running::start(server.port, &arguments);
    let pid = Pid::from_raw(client.child.id().cast_signed());
    // Once would do, if the client took each reply at once.
    for _ in 0..3 {
        let deadline = Duration::from_secs(10);
        answered.recv_timeout(deadline).expect("a request");
        thread::sleep(GAP / 4);
        kill(pid, Signal::SIGSTOP).expect("a signal to our child");
        thread::sleep(GAP * 4);
        kill(pid, Signal::SIGCONT).expect("a signal to our child");
    }
    let (text, _) = client.finish();
    let (_, late) = text.split_once("Sent late by the client").expect("it");
    assert!(figure(late, "max ") > 200.0, "{text}");
    assert!(text.contains("Sent/second: "), "{text}");
}

/// A client that has printed its heading: its run is about to start.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(port: u16, arguments: &[&str]) -> Self {
        let mut command = plain(port);
        command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the client runs");
        let pipe = child.stdout.take().expect("a pipe");
        let mut stdout = BufReader::new(pipe);
        let mut heading = String::new();
        stdout.read_line(&mut heading).expect("a heading");
        assert_eq!(heading, "Load testing the TCP server...\n");
        Self { child, stdout }
    }

    /// What it prints until its end, and its exit status.
    fn finish(mut self) -> (String, Option<i32>) {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).expect("UTF-8");
        (text, self.child.wait().expect("our child").code())
    }

    fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGINT).expect("a signal to our child");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The milliseconds that stand behind `name`.
fn figure(text: &str, name: &str) -> f64 {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(name))
        .find_map(|rest| rest.trim().parse().ok())
        .expect("a figure with that name")
}

fn counts_latency_from_when_a_request_was_due() {
    const STALL: Duration = Duration::from_millis(500);
    let server = Server::start();
    let client = Running::start(server.port, &["200", "--rate", "200"]);
    server.signal(Signal::SIGSTOP);
    thread::sleep(STALL);
    server.signal(Signal::SIGCONT);
    let (text, status) = client.finish();
    assert_eq!(status, Some(0), "{text}");
    // Half of the requests were due while the server stood still. Counted from
    // when they were sent, ten would be slow, one per thread: 5 %.
    assert!(figure(&text, "p90 ") > 200.0, "{text}");
    assert!(figure(&text, "p99 ") > 350.0, "{text}");
    assert!(figure(&text, "max ") > 400.0, "{text}");
}

fn reports_percentiles_in_order_as_json() {
    let server = Server::start();
    let result = json(client(server.port).arg("500"));
    let names = ["p50", "p90", "p99", "p999", "max"];
    let latency = names
        .map(|name| result["latency_us"][name].as_f64().expect("microseconds"));
    assert!(latency[0] > 0.0 && latency.is_sorted(), "{result}");
    let mean = result["latency_us"]["mean"].as_f64();
    assert!(mean > Some(0.0) && mean <= Some(latency[4]), "{result}");
    assert_eq!(result["stopped_early"], false, "{result}");
    assert!(result["errors"].as_object().is_some_and(|e| e.is_empty()));
}

/// Answers so many requests; each one after that waits, and is reported.
fn silent_after(count: usize) -> (Rogue, Receiver<()>) {
    let (sender, waiting) = mpsc::channel();
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Rogue::start(move |mut stream| {
        read_line(&mut stream);
        if asked.fetch_add(1, SeqCst) < count {
            let _ = stream.write_all(b"pong\n");
        } else {
            let _ = sender.send(());
        }
        until_closed(&mut stream);
    });
    (server, waiting)
}

fn prints_what_was_measured_when_interrupted() {
    let (server, waiting) = silent_after(30);
    let arguments = ["1000000", "--threads", "4", "--timeout", "60"];
    let client = Running::start(server.port, &arguments);
    for _ in 0..4 {
        let deadline = Duration::from_secs(10);
        waiting.recv_timeout(deadline).expect("a thread that waits in recv");
    }
    thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    client.interrupt();
    let (text, status) = client.finish();
    assert!(start.elapsed() < Duration::from_secs(5), "{text}");
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("[*] received signal 2, stopped early"), "{text}");
    assert!(text.contains("requests: 30 / 1000000\n"), "{text}");
    // What still waited has waited so long, or longer.
    let text = text.replace('≥', " ");
    assert!(figure(&text, "max ") >= 300.0, "{text}");
    assert!(!text.contains("Elapsed time: 0.0"), "{text}");
    assert!(text.contains("at least: a request without a reply"), "{text}");
}

fn what_was_due_and_not_sent_has_waited_when_interrupted() {
    const WAIT: Duration = Duration::from_millis(400);
    let (server, waiting) = silent_after(10);
    let arguments = ["1000000", "--threads", "1", "--rate", "1000"];
    let client = Running::start(server.port, &arguments);
    let deadline = Duration::from_secs(10);
    waiting.recv_timeout(deadline).expect("a thread that waits in recv");
    thread::sleep(WAIT);
    client.interrupt();
    let (text, status) = client.finish();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("requests: 10 / 1000000\n"), "{text}");
    // Hundreds were due in that time; one of them was sent.
    let text = text.replace('≥', " ");
    assert!(figure(&text, "p50 ") > 100.0, "{text}");
    assert!(figure(&text, "p90 ") > 300.0, "{text}");
}

fn ends_promptly_while_it_waits_for_the_next_due_request() {
    let (sender, answered) = mpsc::channel();
    let server = Rogue::start(move |mut stream| {
        read_line(&mut stream);
        let _ = stream.write_all(b"pong\n");
        until_closed(&mut stream);
        let _ = sender.send(());
    });
    // The second request is due in 1,000 s.
    let client = Running::start(server.port, &["9", "--rate", "0.001"]);
    let deadline = Duration::from_secs(10);
    answered.recv_timeout(deadline).expect("the first request");
    let start = Instant::now();
    client.interrupt();
    let (text, status) = client.finish();
    assert!(start.elapsed() < Duration::from_secs(5), "{text}");
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("requests: 1 / 9\n"), "{text}");
    assert!(!text.contains("The rate was not reached"), "{text}");
}
