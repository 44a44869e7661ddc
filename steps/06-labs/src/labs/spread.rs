//! Which loop gets the client?
//!
//! With a loop for each core something has to say which loop serves which
//! client: the kernel, by a hash (`reuseport`) or by which is woken first
//! (`exclusive`), or the server (`handover`). None of them knows which client
//! will be busy.

use std::io;
use std::net::TcpStream;
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde::Serialize;

use crate::client::{ask, served};
use crate::figures::{median, quantile, seconds};
use crate::report::Report;
use crate::server::Server;
use compare::report::plot::{Plot, Style};

const LOOPS: usize = 2;
/// Clients that ask as fast as they are answered, each from its own thread.
const BUSY: usize = 16;
const DURATION: Duration = Duration::from_millis(600);
/// Their share: all clients are busy, or one in 25.
const LOADS: [(&str, usize); 2] = [("even", 1), ("uneven", 25)];

#[derive(Debug, Serialize)]
struct Row {
    load: &'static str,
    spread: &'static str,
    /// Connections of each loop, the largest first.
    connections: Vec<usize>,
    /// The share of the work that the busiest loop did.
    busiest_percent: f64,
    /// Of the busy clients, each one's median.
    fastest_s: f64,
    slowest_s: f64,
    p99_s: f64,
    #[serde(skip)]
    medians: Vec<f64>,
}

/// Step 07 with two loops, in its three ways, under both loads.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "07-cores has {LOOPS} loops. {BUSY} clients ask for {DURATION:?} as \
         fast as they are\nanswered. Under the even load they are all there \
         are; under the uneven one\n{} silent ones are connected among them.\n",
        BUSY * (LOADS[1].1 - 1)
    ));
    let mut rows = Vec::new();
    for (load, one_in) in LOADS {
        for spread in ["reuseport", "exclusive", "handover"] {
            report.line(format!("  {load}, {spread}"));
            rows.push(measure(load, one_in, spread)?);
        }
    }
    report.finish(&rows, &verdict(&rows));
    report.plot(&plot(&rows))
}

fn measure(
    load: &'static str,
    one_in: usize,
    spread: &'static str,
) -> Result<Row> {
    let cores = LOOPS.to_string();
    let options = ["--cores", &cores, "--spread", spread];
    let server = Server::start_beside("07-cores", &options)?;
    let own = server.registered();
    // Once it has been served, a client is some loop's.
    let all: Vec<TcpStream> = (0..BUSY * one_in)
        .map(|_| served(server.address))
        .collect::<Result<_, _>>()?;
    let before = server.threads_cpu_time();
    let asking = all.iter().step_by(one_in).map(|client| {
        let client = client.try_clone()?;
        Builder::new().spawn(move || ask_on_and_on(&client))
    });
    let asking: Vec<_> = asking.collect::<io::Result<_>>()?;
    let mut latencies = Vec::new();
    for client in asking {
        let lost = |_| anyhow!("a client's thread ended");
        latencies.push(client.join().map_err(lost)??);
    }
    let work = server.threads_cpu_time();
    let work = work
        .iter()
        .map(|(id, cpu)| *cpu - before.get(id).copied().unwrap_or_default());
    let registered = server.registered().into_iter().zip(own);
    let connections =
        registered.map(|(all, own)| all.saturating_sub(own)).collect();
    Ok(row(load, spread, connections, work.collect(), latencies))
}

fn ask_on_and_on(client: &TcpStream) -> std::io::Result<Vec<f64>> {
    let (start, mut latencies) = (Instant::now(), Vec::new());
    while start.elapsed() < DURATION {
        latencies.push(ask(client)?.as_secs_f64());
    }
    Ok(latencies)
}

fn row(
    load: &'static str,
    spread: &'static str,
    mut connections: Vec<usize>,
    work: Vec<Duration>,
    latencies: Vec<Vec<f64>>,
) -> Row {
    connections.sort_unstable_by(|a, b| b.cmp(a));
    let most = work.iter().max().map_or(0.0, Duration::as_secs_f64);
    let sum: Duration = work.iter().sum();
    let mut medians: Vec<_> = latencies.iter().map(|l| median(l)).collect();
    medians.sort_by(f64::total_cmp);
    Row {
        spread,
        load,
        connections,
        busiest_percent: most / sum.as_secs_f64() * 100.0,
        fastest_s: quantile(&medians, 0.0),
        slowest_s: quantile(&medians, 1.0),
        p99_s: quantile(&latencies.concat(), 0.99),
        medians,
    }
}

fn plot(rows: &[Row]) -> Plot {
    let uneven = rows.iter().filter(|row| row.load == LOADS[1].0);
    let series = uneven.map(|row| {
        let medians = row.medians.iter().enumerate();
        let points = medians.map(|(n, median)| (n as f64 + 1.0, *median));
        (row.spread.into(), points.collect())
    });
    Plot::linear(
        "Busy clients among silent ones, each with its median latency",
        ("busy clients, the fastest first", |n| format!("{n:.0}")),
        ("latency", seconds),
        Style::Line,
        series.collect(),
    )
}

fn verdict(rows: &[Row]) -> String {
    let most = |spread: &str, share: fn(&Row) -> f64| {
        let rows = rows.iter().filter(|row| row.spread == spread);
        let share = rows.map(share).fold(0.0, f64::max);
        format!("{share:.0} % under {spread}")
    };
    let of_all = |share| {
        ["handover", "reuseport", "exclusive"].map(|name| most(name, share))
    };
    let connections = |row: &Row| {
        let sum: usize = row.connections.iter().sum();
        row.connections.first().map_or(0.0, |&n| n as f64 * 100.0 / sum as f64)
    };
    format!(
        "Of the connections the fuller loop had at most {}. But a connection \
         is no measure of work: of that the busier loop did at most {}.",
        of_all(connections).join(", "),
        of_all(|row| row.busiest_percent).join(", ")
    )
}

#[cfg(test)]
#[path = "../../tests/unit/spread.rs"]
mod tests;
