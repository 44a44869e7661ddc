//! Which requests does a load test forget?
//!
//! Those that were not sent because the server stood still. A closed loop sends
//! its next request when the last reply has come: while the server is away for
//! a second, it waits with it, and writes down one slow request. People who do
//! not know of each other keep coming: an open loop counts each of them, from
//! when the request was due. The difference is called coordinated omission.

use std::net::SocketAddr;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde::Serialize;

use crate::client::{TIMEOUT, ask, connect};
use crate::figures::{count, decimal, quantile, seconds};
use crate::report::Report;
use crate::server::Server;
use compare::report::plot::{Axis, Plot, Style};

/// Both send a request every two milliseconds, if the server lets them.
const INTERVAL: Duration = Duration::from_millis(2);
const DURATION: Duration = Duration::from_millis(2_500);
/// The server stands still for a second of that.
const STOP_AT: Duration = Duration::from_millis(500);
const STOP: Duration = Duration::from_millis(1_000);

#[derive(Debug, Serialize)]
struct Row {
    client: &'static str,
    requests: usize,
    p50_s: f64,
    p90_s: f64,
    p99_s: f64,
    #[serde(rename = "p99.9_s")]
    p999_s: f64,
    max_s: f64,
}

/// Both kinds of client at the same time, on one server that stops.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "Two clients ask 04-epoll for {DURATION:?}, each every {INTERVAL:?}. \
         For {STOP:?} of that we stop it.\n"
    ));
    let server = Server::start("04-epoll", &[])?;
    let address = server.address;
    let closed = Builder::new().spawn(move || closed_loop(address))?;
    let open = Builder::new().spawn(move || open_loop(address))?;
    thread::sleep(STOP_AT);
    report.line(format!("  after {STOP_AT:?}: SIGSTOP"));
    server.pause()?;
    thread::sleep(STOP);
    report.line(format!("  after {:?}: SIGCONT", STOP_AT + STOP));
    server.resume()?;

    let lost = || anyhow!("a client's thread ended");
    let closed = closed.join().map_err(|_| lost())??;
    let open = open.join().map_err(|_| lost())??;
    let clients = [("closed loop", closed), ("open loop", open)];
    let rows: Vec<_> =
        clients.iter().map(|(name, times)| summed_up(name, times)).collect();
    report.finish(&rows, &verdict(&rows));
    report.plot(&plot(clients))
}

/// The naive client: after a reply, a pause; then the next request.
fn closed_loop(server: SocketAddr) -> std::io::Result<Vec<f64>> {
    let stream = connect(server, TIMEOUT)?;
    let (start, mut latencies) = (Instant::now(), Vec::new());
    while start.elapsed() < DURATION {
        latencies.push(ask(&stream)?.as_secs_f64());
        thread::sleep(INTERVAL);
    }
    Ok(latencies)
}

/// The same on a fixed schedule: a request that is sent late, because the one
/// before it was slow, has been waiting since it was due.
fn open_loop(server: SocketAddr) -> std::io::Result<Vec<f64>> {
    let stream = connect(server, TIMEOUT)?;
    let (start, mut latencies) = (Instant::now(), Vec::new());
    let mut due = start;
    while due < start + DURATION {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        ask(&stream)?;
        latencies.push(due.elapsed().as_secs_f64());
        due += INTERVAL;
    }
    Ok(latencies)
}

fn summed_up(client: &'static str, latencies: &[f64]) -> Row {
    let at = |q| quantile(latencies, q);
    Row {
        client,
        requests: latencies.len(),
        p50_s: at(0.5),
        p90_s: at(0.9),
        p99_s: at(0.99),
        p999_s: at(0.999),
        max_s: at(1.0),
    }
}

fn plot(clients: [(&str, Vec<f64>); 2]) -> Plot {
    // One in two, ten, a hundred, a thousand is slower than that.
    let shares = (0..=60).map(|n| 1.0 - 10_f64.powf(-0.05 * f64::from(n)));
    let points = |latencies: &[f64]| -> Vec<_> {
        let shares = shares.clone();
        shares.map(|share| (share, quantile(latencies, share))).collect()
    };
    let series =
        clients.iter().map(|(name, times)| (name.to_string(), points(times)));
    let label = "share of requests that are faster, %";
    Plot {
        title: "One server that stands still, as two clients report it".into(),
        x: Axis::nines(label, &shares.clone().collect::<Vec<_>>()),
        y: Axis::linear("latency", &[1.0], |s| format!("{} s", decimal(s))),
        style: Style::Line,
        series: series.collect(),
    }
}

fn verdict(rows: &[Row]) -> String {
    let [closed, open] = rows else { return String::new() };
    let [closed_sent, open_sent] = [closed, open].map(|r| count(r.requests));
    let [closed_p99, open_p90, open_p99] =
        [closed.p99_s, open.p90_s, open.p99_s].map(seconds);
    let first = format!(
        "Those that were due while the server stood still: the closed loop \
         sent {closed_sent} requests and the open loop {open_sent}.",
    );
    let second = if open.p99_s > 2.0 * closed.p99_s {
        format!(
            "So the closed loop's p99 is {closed_p99} and one request in \
             {closed_sent} tells of the stop; counted from when they were due, \
             one in ten took {open_p90} or longer, and one in a hundred \
             {open_p99}."
        )
    } else {
        format!(
            "Here they differ little (p99 {closed_p99} and {open_p99}), so \
             something else than our stop slowed both."
        )
    };
    format!("{first} {second}")
}

#[cfg(test)]
#[path = "../../tests/unit/omission.rs"]
mod tests;
