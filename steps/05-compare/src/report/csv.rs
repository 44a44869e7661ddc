//! The figures in the columns of Locust's CSV files, for whatever reads those.

use std::collections::BTreeMap;

use crate::results::metric::{ERRORS, REQUESTS};
use crate::results::row::{Results, Row};

/// What Locust calls its columns. Times are in milliseconds.
const COLUMNS: &str = "Type,Name,Request Count,Failure Count,Median Response \
    Time,Average Response Time,Min Response Time,Max Response Time,Average \
    Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,\
    99.99%,100%";
const QUANTILES: [f64; 11] =
    [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0];

/// What Locust writes as `…_stats.csv`: a line for each row, of all rounds
/// together.
pub(crate) fn stats(results: &Results) -> String {
    let rows = results.rows.iter().filter(|row| !row.again);
    let lines = rows.filter(|row| !row.rounds.is_empty()).map(stats_line);
    [COLUMNS.into()].into_iter().chain(lines).collect::<Vec<_>>().join("\r\n")
        + "\r\n"
}

fn stats_line(row: &Row) -> String {
    let sum = |of: &dyn Fn(usize) -> f64| (0..row.rounds.len()).map(of).sum();
    let seconds: f64 = sum(&|i| row.rounds[i].seconds);
    let served: f64 = sum(&|i| row.rounds[i].rps * row.rounds[i].seconds);
    let (requests, failures) = (REQUESTS.aggregate(row), ERRORS.aggregate(row));
    let failures = failures.unwrap_or(0.0);
    let counted = |i: usize| row.rounds[i].requests as f64;
    let mean = sum(&|i| row.rounds[i].mean * counted(i)) / sum(&counted);
    let at = |quantile| milliseconds(row.latency_at(quantile));
    let mut cells = vec![
        "TCP".into(),
        quoted(&format!("{} {}", row.load, row.server)),
        format!("{}", requests.unwrap_or(0.0)),
        format!("{failures}"),
        at(0.5),
        milliseconds(Some(mean)),
        at(0.0),
        at(1.0),
        format!("{}", protocol::PONG.len()),
        format!("{}", served / seconds),
        format!("{}", failures / seconds),
    ];
    cells.extend(QUANTILES.map(at));
    cells.join(",")
}

/// What Locust writes as `…_failures.csv`.
pub(crate) fn failures(results: &Results) -> String {
    let mut text = String::from("Method,Name,Error,Occurrences\r\n");
    for row in results.rows.iter().filter(|row| !row.again) {
        let name = quoted(&format!("{} {}", row.load, row.server));
        let mut errors = BTreeMap::<_, u64>::new();
        for (error, count) in row.rounds.iter().flat_map(|f| &f.errors) {
            *errors.entry(error).or_default() += count;
        }
        for (error, count) in errors {
            text += &format!("TCP,{name},{},{count}\r\n", quoted(error));
        }
    }
    text
}

fn milliseconds(seconds: Option<f64>) -> String {
    let known = seconds.filter(|seconds| seconds.is_finite());
    known.map_or("N/A".into(), |seconds| format!("{}", seconds * 1e3))
}

/// A name may hold a comma.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
