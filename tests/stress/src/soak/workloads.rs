//! What each kind of client does, the good and the bad.
//!
//! Each function is one visit. An error of a visit is one that the client did
//! not bring about: a wrong reply, none, or a server that cannot be reached.

use std::collections::VecDeque;
use std::thread;
use std::time::Duration;

use harness::{CaseError, CaseResult, Client, Server};

/// What a workload remembers from one visit to the next: connections that it
/// keeps open.
pub(super) type Kept = VecDeque<Client>;

/// One visit; gives the number of requests that were answered.
pub(super) type Visit = fn(&Server, &mut Kept) -> Result<usize, CaseError>;

/// A kind of client.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) visit: Visit,
    /// How many of them there are.
    pub(super) count: usize,
    /// The pause after each visit.
    pub(super) pause: Duration,
}

const fn workload(name: &'static str, visit: Visit, pause_ms: u64) -> Workload {
    Workload { name, visit, count: 1, pause: Duration::from_millis(pause_ms) }
}

/// All kinds.
pub(super) const WORKLOADS: &[Workload] = &[
    Workload { count: 8, ..workload("good", good, 10) },
    workload("pipelining", pipelining, 20),
    workload("half-close", half_close, 10),
    workload("long line", long_line, 50),
    workload("reset", reset, 5),
    workload("silent", silent, 10),
    workload("never reads", never_reads, 10),
    workload("slow reader", slow_reader, 10),
    workload("fire sender", fire_hose, 1_000),
    workload("burst", burst, 500),
];

/// The reply to any line but `ping`.
fn echo(line: &str) -> Vec<u8> {
    format!("受信しました: {line}\n").into()
}

/// Asks, and waits for each reply.
fn good(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    const REQUESTS: usize = 50;
    let mut client = server.connect()?;
    for number in 0..REQUESTS {
        // A line that no other client sends, and not all of one length.
        let name = client.address()?;
        let line = format!("{name} {number} {}", "x".repeat(number * 19));
        client.ask(format!("{line}\n").as_bytes(), &echo(&line))?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok(REQUESTS)
}

/// Asks all at once, and then reads.
fn pipelining(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    const REQUESTS: usize = 2_000;
    let mut client = server.connect()?;
    let (lines, replies): (Vec<_>, Vec<_>) = (0..REQUESTS)
        .map(|n| (format!("line {n}\n"), echo(&format!("line {n}"))))
        .unzip();
    client.exchange(lines.concat().into(), &replies.concat())?;
    Ok(REQUESTS)
}

/// Ends its side in the middle of a line, and is answered.
fn half_close(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    let mut client = server.connect()?;
    client.send(b"ping\nhal")?;
    client.half_close()?;
    client.expect(b"pong\n")?;
    client.expect(&echo("hal"))?;
    client.expect_end()?;
    Ok(2)
}

/// A megabyte before the first newline.
fn long_line(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    let mut client = server.connect()?;
    let bytes = [&vec![b'l'; 1 << 20][..], b"\nping\n"].concat();
    let replies = "エラー: 1行は1000バイトまでです\npong\n";
    client.exchange(bytes, replies.as_bytes())?;
    Ok(2)
}

/// Resets the connection, with replies under way.
fn reset(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    let mut client = server.connect()?;
    let _ = client.send(&b"ping\n".repeat(100));
    client.reset()?;
    Ok(0)
}

/// Says half a line and stays; the one that has stayed longest leaves.
fn silent(server: &Server, kept: &mut Kept) -> Result<usize, CaseError> {
    let mut client = server.connect()?;
    client.send(b"half a li")?;
    keep(client, kept, 100);
    Ok(0)
}

/// Sends until nothing more is taken, and never reads.
fn never_reads(server: &Server, kept: &mut Kept) -> Result<usize, CaseError> {
    let mut client = server.connect()?;
    client.fill(&b"\n".repeat(4_096), 64 << 20)?;
    keep(client, kept, 10);
    Ok(0)
}

fn keep(client: Client, kept: &mut Kept, most: usize) {
    kept.push_back(client);
    if kept.len() > most {
        kept.pop_front();
    }
}

/// Reads its replies a few at a time, and leaves before the last.
fn slow_reader(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    const REQUESTS: usize = 20_000;
    let mut client = server.connect()?;
    let sending = client.send_meanwhile(b"ping\n".repeat(REQUESTS))?;
    for _ in 0..50 {
        client.expect(&b"pong\n".repeat(20))?;
        thread::sleep(Duration::from_millis(5));
    }
    client.reset()?;
    let _ = sending.join();
    Ok(50 * 20)
}

/// Sends without end, for a moment.
fn fire_hose(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    let sender = server.connect()?.pour(b"\n".repeat(64 << 10))?;
    thread::sleep(Duration::from_millis(200));
    sender.stop()?;
    Ok(0)
}

/// Many connect at once and leave without a word.
fn burst(server: &Server, _: &mut Kept) -> Result<usize, CaseError> {
    drop(server.connect_many(200)?);
    Ok(0)
}

/// One request of a client that is there all the time.
pub(super) fn ask_once(client: &mut Client) -> CaseResult {
    client.ask(b"ping\n", b"pong\n")
}
