//! What do 10,000 idle clients cost?
//!
//! Most connections of a chat or a push service say nothing most of the time.
//! What such a client costs is memory: a thread with its stacks in step 02, a
//! small struct in step 04.

use std::net::TcpStream;

use anyhow::Result;
use compare::raise_descriptor_limit;
use procfs::{Current, Meminfo};
use serde::Serialize;

use crate::client::served;
use crate::figures::{bytes, count, decimal};
use crate::report::Report;
use crate::server::Server;
use compare::report::plot::{Format, Plot, Series, Style};

const CLIENTS: usize = 10_000;
/// Descriptors that are not a client's.
const BASE_FDS: usize = 64;
/// The memory is sampled so many times on the way.
const SAMPLES: usize = 10;

#[derive(Debug, Serialize)]
struct Row {
    server: &'static str,
    /// That were served: each got a pong and then said nothing more.
    clients: usize,
    threads: usize,
    resident_bytes: u64,
    /// The kernel's own memory for stacks.
    kernel_stacks_bytes: u64,
    /// Both, for one client.
    for_each_bytes: f64,
    address_space_bytes: u64,
}

/// As many clients as the limits allow, on step 02 and on step 04.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    let limit = raise_descriptor_limit()?;
    let clients = limit.saturating_sub(BASE_FDS).min(CLIENTS);
    report.line(format!(
        "{} clients connect, say ping once, and then nothing.",
        count(clients)
    ));
    if clients < CLIENTS {
        report.line("(More is not allowed here: ulimit -Hn is in the way.)");
    }
    report.line("");
    let (mut rows, mut series) = (Vec::new(), Vec::new());
    for name in ["02-threads", "04-epoll"] {
        let (seen, points) = fill(report, name, clients)?;
        series.push((name.into(), points));
        rows.push(seen);
    }
    report.record("asked", clients);
    report.finish(&rows, &verdict(&rows, clients));
    report.plot(&plot(series))
}

fn fill(
    report: &mut Report<'_>,
    name: &'static str,
    clients: usize,
) -> Result<(Row, Vec<(f64, f64)>)> {
    let server = Server::start(name, &[])?;
    let used = || {
        let stacks = Meminfo::current().ok().and_then(|all| all.kernel_stack);
        [server.memory(|s| s.vmrss), stacks.unwrap_or(0)]
    };
    let before = used();
    let grown = || [0, 1].map(|part| used()[part].saturating_sub(before[part]));
    let mut idle: Vec<TcpStream> = Vec::with_capacity(clients);
    let mut points = vec![(0.0, 0.0)];
    for sample in 1..=SAMPLES {
        while idle.len() < clients * sample / SAMPLES {
            // It may take no more.
            let Ok(client) = served(server.address) else { break };
            idle.push(client);
        }
        let sum: u64 = grown().iter().sum();
        points.push((idle.len() as f64, sum as f64 / 1_048_576.0));
    }
    let [resident_bytes, kernel_stacks_bytes] = grown();
    let sum = (resident_bytes + kernel_stacks_bytes) as f64;
    let seen = Row {
        server: name,
        clients: idle.len(),
        threads: server.threads_cpu_time().len(),
        resident_bytes,
        kernel_stacks_bytes,
        for_each_bytes: sum / idle.len().max(1) as f64,
        address_space_bytes: server.memory(|s| s.vmsize),
    };
    let served = count(seen.clients);
    report.line(format!("  {name}: {served} clients are in"));
    // The server goes first: so no port of ours stays in TIME_WAIT.
    drop(server);
    Ok((seen, points))
}

fn plot(series: Vec<Series>) -> Plot {
    let title = "What idle clients cost: memory and kernel stacks";
    let clients: Format = |number| count(number as usize);
    let memory: Format = |mib| format!("{} MiB", decimal(mib));
    let (x, y) = (("clients", clients), ("memory", memory));
    Plot::linear(title, x, y, Style::Line, series)
}

fn verdict(rows: &[Row], asked: usize) -> String {
    let [threads, epoll] = rows else { return String::new() };
    let first = format!(
        "A client costs {} and a thread in step 02, and {} in step 04, whose \
         {} thread{} served {}.",
        bytes(threads.for_each_bytes),
        bytes(epoll.for_each_bytes),
        epoll.threads,
        if epoll.threads == 1 { "" } else { "s" },
        count(epoll.clients)
    );
    let second = if threads.clients < asked {
        format!(
            "Step 02 got no further than {} clients: this system allows no \
             more threads.",
            count(threads.clients)
        )
    } else {
        format!(
            "So threads do reach {} here, for {:.0} times the memory.",
            count(threads.clients),
            threads.for_each_bytes / epoll.for_each_bytes
        )
    };
    format!("{first} {second}")
}

#[cfg(test)]
#[path = "../../tests/unit/c10k.rs"]
mod tests;
