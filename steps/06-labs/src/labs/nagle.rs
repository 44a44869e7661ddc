//! Where do 40 milliseconds go?
//!
//! Nagle's algorithm holds a small segment back while an earlier one is not
//! acknowledged; it may be joined by more bytes. The other side's delayed ACK
//! holds the acknowledgement back for 40 ms; it may travel with a reply. Each
//! waits for the other, if a program sends one message in two writes.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::thread::Builder;
use std::time::Instant;

use anyhow::Result;
use blocking::{accept, listen, local_address, recv, send_all};
use compare::target::netstat::{Counters, counted_since};
use nix::sys::socket::setsockopt;
use nix::{setsockopt_impl, sockopt_impl};
use protocol::Conversation;
use serde::Serialize;

use crate::client::{TIMEOUT, connect, hear_pong};
use crate::figures::{median, quantile, seconds};
use crate::report::Report;
use crate::server::Server;

const REQUESTS: usize = 21;
/// What lies between a delayed ACK and everything else.
const DELAYED: f64 = 0.03;

// `nix` does not have this option, only the means to make it.
sockopt_impl!(
    /// Whether to acknowledge at once. The kernel may change it back, so it
    /// has to be set anew after each `recv`. `man 7 tcp`, `TCP_QUICKACK`.
    QuickAck,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_QUICKACK,
    bool
);

#[derive(Debug, Serialize)]
struct Row {
    client: &'static str,
    median_s: f64,
    slowest_s: f64,
    /// Acknowledgements that the kernel held back until the time was up.
    delayed_acks: u64,
}

/// `ping` and a newline: in one write, in two, and in two with each remedy.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "{REQUESTS} requests over one connection, one after the other; only \
         the writes differ.\n"
    ));
    let server = Server::start("04-epoll", &[])?;
    let quick = listen((Ipv4Addr::LOCALHOST, 0).into(), 8)?;
    let quick_address = local_address(&quick)?;
    Builder::new().spawn(move || acknowledge_at_once(&quick))?;

    let (whole, halves) = (&["ping\n"][..], &["ping", "\n"][..]);
    let mut rows = Vec::new();
    for (name, address, writes, nodelay) in [
        ("one write", server.address, whole, false),
        ("two writes", server.address, halves, false),
        ("two writes, TCP_NODELAY", server.address, halves, true),
        ("two writes, server TCP_QUICKACK", quick_address, halves, false),
    ] {
        let seen = measure(name, address, writes, nodelay)?;
        report.line(format!("  {name}: {}", seconds(seen.median_s)));
        rows.push(seen);
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn measure(
    client: &'static str,
    server: SocketAddr,
    writes: &[&str],
    nodelay: bool,
) -> Result<Row> {
    let stream = connect(server, TIMEOUT)?;
    stream.set_nodelay(nodelay)?;
    let before = counted_since(&Counters::new());
    let times = (0..REQUESTS)
        .map(|_| request(&stream, writes))
        .collect::<std::io::Result<Vec<_>>>()?;
    let delayed_acks = counted_since(&before)["DelayedACKs"];
    let (median_s, slowest_s) = (median(&times), quantile(&times, 1.0));
    Ok(Row { client, median_s, slowest_s, delayed_acks })
}

fn request(mut stream: &TcpStream, writes: &[&str]) -> std::io::Result<f64> {
    let start = Instant::now();
    for part in writes {
        stream.write_all(part.as_bytes())?; // one send(2) each
    }
    hear_pong(stream)?;
    Ok(start.elapsed().as_secs_f64())
}

/// A server for one client that has its kernel acknowledge every segment at
/// once.
fn acknowledge_at_once(listener: &OwnedFd) -> Result<()> {
    let (client, _) = accept(listener)?;
    let mut conversation = Conversation::default();
    let (mut buffer, mut replies) = ([0; 64], Vec::new());
    loop {
        setsockopt(&client, QuickAck, &true)?;
        let count = recv(&client, &mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        conversation.feed(&buffer[..count], &mut replies, |_, _| {});
        send_all(&client, &replies)?;
        replies.clear();
    }
}

fn verdict(rows: &[Row]) -> String {
    let [one, two, nodelay, quick] = rows else { return String::new() };
    let [one_s, two_s, nodelay_s, quick_s] =
        [one, two, nodelay, quick].map(|row| seconds(row.median_s));
    if two.median_s < DELAYED {
        return format!(
            "Here two writes took {two_s} and one took {one_s}: this system \
             did not hold the acknowledgement back, so there was nothing to \
             remedy."
        );
    }
    let both = nodelay.median_s < DELAYED && quick.median_s < DELAYED;
    let so = match both {
        true => "so either end can avoid them",
        false => "so not every remedy worked here",
    };
    format!(
        "They pass between the two writes of one message: {two_s} instead of \
         {one_s}, and {} acknowledgements came only when their time was up. \
         TCP_NODELAY at the sender gave {nodelay_s}, TCP_QUICKACK at the \
         receiver {quick_s}, {so}; one write needs neither.",
        two.delayed_acks
    )
}

#[cfg(test)]
#[path = "../../tests/unit/nagle.rs"]
mod tests;
