//! What is a connection that is kept worth?
//!
//! A new connection for each request takes a handshake before it and a
//! close after it, a socket at each end, and a port that stays in TIME_WAIT
//! for a minute. A pool keeps connections and lends them: the article's second
//! advice.

use std::io::Read;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use compare::target::guard::{Guarded, reexec};
use load_client::Latency;
use procfs::net::TcpState;
use serde::{Deserialize, Serialize};

use crate::figures::{count, seconds};
use crate::report::Report;
use crate::server::Server;

const REQUESTS: usize = 2_000;
const THREADS: u32 = 4;
/// The two take turns, and the best figure of each counts.
const ROUNDS: usize = 5;

#[derive(Clone, Debug, Serialize)]
struct Row {
    client: &'static str,
    requests_per_second: f64,
    p50_s: f64,
    p99_s: f64,
    /// CPU time of the server.
    cpu_per_request_s: f64,
    /// Ports that cannot be used for a minute.
    time_wait: usize,
}

/// Of what the load client prints.
#[derive(Deserialize)]
struct Output {
    requests_per_second: f64,
    failed: u64,
    latency_us: Latency,
}

/// Step 03's load client on step 04's server, in both ways.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "03-load-client sends {} requests from {THREADS} threads to 04-epoll: \
         over a new\nconnection each, and over one per thread that is kept. \
         {ROUNDS} turns each.\n",
        count(REQUESTS)
    ));
    let server = Server::start("04-epoll", &[])?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        for (name, keep) in [("new each time", false), ("kept", true)] {
            let seen = load(&server, name, keep)?;
            let rate = count(seen.requests_per_second as usize);
            report.line(format!("  {name}: {rate} requests/s"));
            rounds.push(seen);
        }
    }
    let rows = best_of_each(&rounds);
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn load(server: &Server, client: &'static str, keep: bool) -> Result<Row> {
    let mut command = reexec(&["load"]);
    command.args([&REQUESTS.to_string(), "--json"]);
    command.args(["--threads", &THREADS.to_string()]);
    command.args(["--port", &server.address.port().to_string()]);
    command.args(keep.then_some("--keep-alive"));
    let (waiting, cpu) = (in_time_wait(), server.cpu_time());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Guarded::spawn(&mut command).context("load")?;
    let mut json = Vec::new();
    if let Some(mut stdout) = process.take_stdout() {
        stdout.read_to_end(&mut json)?;
    }
    let cpu = server.cpu_time() - cpu;
    let output: Output = serde_json::from_slice(&json)
        .ok()
        .context("the load client measured nothing")?;
    let failed = output.failed;
    ensure!(failed == 0, "{failed} of {REQUESTS} requests failed: try again");
    Ok(Row {
        client,
        requests_per_second: output.requests_per_second,
        p50_s: output.latency_us.p50 / 1e6,
        p99_s: output.latency_us.p99 / 1e6,
        cpu_per_request_s: cpu.as_secs_f64() / REQUESTS as f64,
        time_wait: in_time_wait().saturating_sub(waiting),
    })
}

/// Sockets in TIME_WAIT. Their programs have closed them.
fn in_time_wait() -> usize {
    let sockets = procfs::net::tcp().unwrap_or_default();
    sockets.iter().filter(|one| one.state == TcpState::TimeWait).count()
}

/// Whatever else this machine does can only make a figure worse.
fn best_of_each(rounds: &[Row]) -> Vec<Row> {
    let better = |a: Row, b: Row| Row {
        requests_per_second: a.requests_per_second.max(b.requests_per_second),
        p50_s: a.p50_s.min(b.p50_s),
        p99_s: a.p99_s.min(b.p99_s),
        cpu_per_request_s: a.cpu_per_request_s.min(b.cpu_per_request_s),
        ..a
    };
    let best = |client| {
        let turns = rounds.iter().filter(|seen| seen.client == client);
        turns.cloned().reduce(better)
    };
    ["new each time", "kept"].into_iter().filter_map(best).collect()
}

fn verdict(rows: &[Row]) -> String {
    let [new, kept] = rows else { return String::new() };
    let worth = match new.p50_s / kept.p50_s {
        1.2.. => "It is worth the handshake and the close",
        _ => "Here it made little difference",
    };
    format!(
        "{worth}: half of the requests took no longer than {} over a kept \
         connection and {} over a new one, and {} and {} of the server's CPU. \
         It left {} ports in TIME_WAIT instead of {}, of the 28,232 that a \
         client has by default.",
        seconds(kept.p50_s),
        seconds(new.p50_s),
        seconds(kept.cpu_per_request_s),
        seconds(new.cpu_per_request_s),
        count(kept.time_wait),
        count(new.time_wait)
    )
}
