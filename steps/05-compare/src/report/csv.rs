//! The figures in the columns of Locust's CSV files, for whatever reads those.

use crate::results::metric::{ERRORS, REQUESTS};
use crate::results::row::{Results, Row};

/// What Locust calls its columns. Times are in milliseconds.
const COLUMNS: &str = "Type,Name,Request Count,Failure Count,Median Response \
    Time,Average Response Time,Min Response Time,Max Response Time,Average \
    Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,\
    99.99%,100%\r\n";
const QUANTILES: [f64; 11] =
    [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0];

/// Locust's `…_stats.csv`: a line for each row, of all rounds together.
pub(crate) fn stats(results: &Results) -> String {
    let measured = results.rows().filter(|row| !row.rounds.is_empty());
    COLUMNS.to_owned() + &measured.map(stats_line).collect::<String>()
}

fn stats_line(row: &Row) -> String {
    let rounds = || row.rounds.iter();
    let seconds: f64 = rounds().map(|r| r.seconds).sum();
    let served: f64 = rounds().map(|r| r.rps * r.seconds).sum();
    let spent: f64 = rounds().map(|r| r.latency.mean * r.requests as f64).sum();
    let measured = REQUESTS.aggregate(row).unwrap_or(0.0);
    // A round that came to nothing has no requests: it counts as one, failed.
    let lost = rounds().filter(|r| r.failure.is_some()).count() as f64;
    let requests = measured + lost;
    let failures = ERRORS.aggregate(row).unwrap_or(0.0) + lost;
    let at = |quantile| {
        let reaches = |point: &&(f64, f64)| point.0 >= quantile;
        let point = row.latencies.iter().find(reaches);
        point.or(row.latencies.last()).map_or(f64::NAN, |point| point.1 * 1e3)
    };
    let average = spent / measured * 1e3;
    let mut figures =
        vec![requests, failures, at(0.5), average, at(0.0), at(1.0)];
    figures.push(protocol::PONG.len() as f64);
    figures.extend([served / seconds, failures / seconds]);
    figures.extend(QUANTILES.map(at));
    let cells: Vec<_> = figures.into_iter().map(cell).collect();
    // A name may hold a comma.
    let name = format!("{} {}", row.load, row.server).replace('"', "\"\"");
    format!("TCP,\"{name}\",{}\r\n", cells.join(","))
}

fn cell(figure: f64) -> String {
    if figure.is_finite() { figure.to_string() } else { "N/A".into() }
}
