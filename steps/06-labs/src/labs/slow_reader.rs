//! What if a client never reads?
//!
//! It sends and sends, and leaves the replies where they are. The kernel takes
//! some of them (the send buffer); from then on the server has to wait, to keep
//! them, or to stop reading from this client: back-pressure.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use nix::sys::socket::{setsockopt, sockopt};
use serde::Serialize;

use crate::client::{ask, connect};
use crate::figures::bytes;
use crate::report::Report;
use crate::server::Server;

/// What the client would like to send: empty lines, whose replies are 21 times
/// as long.
const FLOOD: usize = 4 * 1_024 * 1_024;
/// So that not all of it fits into its own kernel's send buffer.
const SEND_BUFFER: usize = 64 * 1_024;
/// It gives up when its `send` waits for so long.
const STUCK: Duration = Duration::from_millis(500);
/// How long the others wait for a pong.
const TIMEOUT: Duration = Duration::from_millis(1_000);
const REQUESTS: usize = 100;

#[derive(Debug, Serialize)]
struct Row {
    server: &'static str,
    /// Bytes that the slow reader could send.
    taken_bytes: usize,
    /// By how many bytes the server's memory grew.
    memory_growth_bytes: u64,
    /// Of the others' requests.
    answered: usize,
    slowest_s: f64,
}

/// Two naive servers, and steps 02 and 04.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "One client sends {} of empty lines and never reads a reply, which \
         are\n21 bytes each. Then another one sends {REQUESTS} pings.\n",
        bytes(FLOOD as f64)
    ));
    let mut rows = Vec::new();
    for name in ["blocking-send", "unbounded-outbox", "02-threads", "04-epoll"]
    {
        let seen = flood(name)?;
        let answered = seen.answered;
        report.line(format!("  {name}: {answered} pongs for the other client"));
        rows.push(seen);
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn flood(server: &'static str) -> Result<Row> {
    let process = Server::start(server, &[])?;
    let warm = connect(process.address, TIMEOUT)?;
    ask(&warm)?;
    let before = process.memory(|s| s.vmrss);
    let slow = connect(process.address, STUCK)?;
    setsockopt(&slow, sockopt::SndBuf, &SEND_BUFFER)?;
    let taken_bytes = send_until_stuck(&slow);

    let other = connect(process.address, TIMEOUT)?;
    let pongs: Vec<_> = (0..REQUESTS).map_while(|_| ask(&other).ok()).collect();
    let slowest = match pongs.len() {
        REQUESTS => pongs.iter().max().copied().unwrap_or_default(),
        _ => TIMEOUT, // and no end to it
    };
    process.wait_until_idle();
    Ok(Row {
        server,
        taken_bytes,
        memory_growth_bytes: process.memory(|s| s.vmhwm).saturating_sub(before),
        answered: pongs.len(),
        slowest_s: slowest.as_secs_f64(),
    })
}

/// Says how many bytes the kernel and the server took.
fn send_until_stuck(mut slow: &TcpStream) -> usize {
    let lines = [b'\n'; 4_096];
    let mut sent = 0;
    // EAGAIN: its send has waited for STUCK.
    while sent < FLOOD
        && let Ok(count) = slow.write(&lines)
    {
        sent += count;
    }
    sent
}

fn verdict(rows: &[Row]) -> String {
    let [waits, keeps, _, epoll] = rows else { return String::new() };
    let grown = |row: &Row| bytes(row.memory_growth_bytes as f64);
    let taken = match epoll.taken_bytes {
        FLOOD.. => "read all that it sent".into(),
        taken => format!("stopped reading after {}", bytes(taken as f64)),
    };
    format!(
        "A server that waits for it gave the other client {} of {REQUESTS} \
         pongs, and one that keeps the replies grew by {}. Step 04 {taken}, \
         grew by {}, and gave the other client {}.",
        waits.answered,
        grown(keeps),
        grown(epoll),
        epoll.answered
    )
}
