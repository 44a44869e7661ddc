//! When does `sendfile` beat `send`?
//!
//! `send` copies bytes from the program's memory into the kernel's. `sendfile`
//! hands the socket the pages of a file, where they are: no copy, the article's
//! fourth advice. But pages have to be looked up, one by one, and a `pong` is
//! five bytes. `man 2 sendfile`.

use anyhow::Result;
use serde::Serialize;

use crate::figures::{bytes, decimal, median};
use crate::report::Report;
use crate::sender::{Sender, Strategy};
use compare::report::plot::{Axis, Plot, Scale, Series, Style};

/// From a `pong` to a picture.
const SIZES: [usize; 7] =
    [5, 512, 4_096, 32_768, 262_144, 2_097_152, 16_777_216];
/// All ways take turns, and medians count.
const ROUNDS: usize = 21;

/// What a message of so many bytes costs the sender.
#[derive(Debug, Serialize)]
struct Row {
    message_bytes: usize,
    send_s: f64,
    read_and_send_s: f64,
    sendfile_s: f64,
    /// Medians of the ratios within a round: compared to `send`,
    sendfile_over_send_ratio: f64,
    /// and to `read` and `send`.
    sendfile_over_both_ratio: f64,
    send_a_byte_ns: f64,
    sendfile_a_byte_ns: f64,
}

/// Seven sizes, three ways.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "A file in memory (memfd) goes over loopback, a message a call, in \
         three ways.\nWe count the CPU time of the sending thread, kernel \
         included; {ROUNDS} turns each.\n"
    ));
    let mut sender = Sender::new(&SIZES)?;
    let mut rows = Vec::new();
    for size in SIZES {
        let seen = measure(&mut sender, size)?;
        report.line(format!(
            "  {}: sendfile takes {:.2} times the CPU of send",
            bytes(size as f64),
            seen.sendfile_over_send_ratio
        ));
        rows.push(seen);
    }
    report.finish(&rows, &verdict(&rows));
    report.plot(&plot(&rows))
}

fn measure(sender: &mut Sender, size: usize) -> Result<Row> {
    let ways = [Strategy::Send, Strategy::ReadAndSend, Strategy::Sendfile];
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let mut costs = [0.0; 3];
        for (cost, way) in costs.iter_mut().zip(ways) {
            *cost = sender.cpu_of_a_message(way, size)?;
        }
        rounds.push(costs);
    }
    rounds.remove(0); // the first of a size finds cold caches
    let of = |value: fn(&[f64; 3]) -> f64| {
        median(&rounds.iter().map(value).collect::<Vec<_>>())
    };
    Ok(Row {
        message_bytes: size,
        send_s: of(|costs| costs[0]),
        read_and_send_s: of(|costs| costs[1]),
        sendfile_s: of(|costs| costs[2]),
        sendfile_over_send_ratio: of(|costs| costs[2] / costs[0]),
        sendfile_over_both_ratio: of(|costs| costs[2] / costs[1]),
        send_a_byte_ns: of(|costs| costs[0]) * 1e9 / size as f64,
        sendfile_a_byte_ns: of(|costs| costs[2]) * 1e9 / size as f64,
    })
}

fn plot(rows: &[Row]) -> Plot {
    let line = |name: &str, value: fn(&Row) -> f64| -> Series {
        let point = |row: &Row| (row.message_bytes as f64, value(row));
        (name.into(), rows.iter().map(point).collect())
    };
    let series = vec![
        line("send = 1", |_| 1.0),
        line("sendfile", |row| row.sendfile_over_send_ratio),
        line("read + send", |row| row.read_and_send_s / row.send_s),
    ];
    let plot = Plot::linear(
        "CPU time of the sender, compared to send",
        ("message", bytes),
        ("times that of send", decimal),
        Style::Line,
        series,
    );
    let ticks = SIZES.map(|size| size as f64).into();
    Plot { x: Axis { scale: Scale::Log, ticks, ..plot.x }, ..plot }
}

fn verdict(rows: &[Row]) -> String {
    let [pong, ..] = rows else { return String::new() };
    let cheaper_at = |ratio: fn(&Row) -> f64| {
        let rows = rows.iter().filter(|row| ratio(row) < 0.95);
        let sizes: Vec<_> =
            rows.map(|row| bytes(row.message_bytes as f64)).collect();
        if sizes.is_empty() { "no size".into() } else { sizes.join(", ") }
    };
    let saved = match pong.sendfile_over_send_ratio {
        ..0.95 => "so even that copy was worth saving here",
        0.95..1.05 => "so it makes no difference",
        _ => "since there is no copy worth saving",
    };
    format!(
        "For a pong sendfile took {:.2} times the CPU of send, {saved}. For \
         bytes that the program has in memory it was cheaper at {}; for bytes \
         in a file, which would have to be read first, at {}.",
        pong.sendfile_over_send_ratio,
        cheaper_at(|row| row.sendfile_over_send_ratio),
        cheaper_at(|row| row.sendfile_over_both_ratio),
    )
}

#[cfg(test)]
#[path = "../../tests/unit/zero_copy.rs"]
mod tests;
