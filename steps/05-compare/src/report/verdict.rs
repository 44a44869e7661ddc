//! What the figures mean, in sentences.

use std::fmt::Write;

use super::format::three_digits;
use super::stalls;
use crate::comparison::{Difference, against_itself, differences};
use crate::measures::{MEMORY_EACH, THREADS_EACH};
use crate::results::{Load, Results, Row};

/// All sentences, the most important first.
pub(crate) fn sentences(results: &Results) -> Vec<String> {
    let mut sentences = Vec::new();
    for load in &results.loads {
        if load.idle {
            sentences.extend(cost_of_connections(results, load));
        } else {
            sentences.extend(of_load(results, load));
        }
    }
    sentences.extend(same_rps(results));
    sentences.extend(results.rows.iter().flat_map(stalls::sentences));
    sentences.extend(worth(results));
    sentences
}

/// "high: 04-epoll against 02-threads: 0.58 times the CPU time a request
/// [0.55, 0.61]; no difference in RPS".
// ANCHOR: of_load
fn of_load(results: &Results, load: &Load) -> Vec<String> {
    let name = &load.name;
    let Some(baseline) = results.row(name, &results.baseline) else {
        return Vec::new();
    };
    let noise = results.row_again(name);
    let others = results.rows_of(name).filter(|row| !is_same(row, baseline));
    others
        .map(|row| (row, differences(row, baseline, noise)))
        .filter(|(_, found)| !found.is_empty())
        .map(|(row, found)| {
            let (server, other) = (&row.server, &results.baseline);
            format!("{name}: {server} against {other}: {}.", in_words(&found))
        })
        .collect()
}
// ANCHOR_END: of_load

fn is_same(row: &Row, baseline: &Row) -> bool {
    row.server == baseline.server
}

fn in_words(found: &[Difference]) -> String {
    let (real, none): (Vec<_>, Vec<_>) =
        found.iter().partition(|difference| difference.is_real);
    let real: Vec<_> = real
        .into_iter()
        .map(|d| format!("{} the {}", times(d), d.words))
        .collect();
    let none: Vec<_> = none.into_iter().map(|d| d.words).collect();
    let mut text = real.join(", ");
    if !none.is_empty() {
        let gap = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{gap}no difference in {}", list(&none, "or"));
    }
    text
}

/// `0.58 times [0.55, 0.61]`
fn times(difference: &Difference) -> String {
    let ratio = &difference.ratio;
    let [value, low, high] =
        [ratio.value, ratio.low, ratio.high].map(two_decimals);
    format!("{value} [{low}, {high}] times")
}

/// A ratio: two decimals, and three digits where it is large.
pub(crate) fn two_decimals(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { three_digits(ratio) }
}

fn list(items: &[&str], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).into(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

/// Under loads whose users set the pace, servers that keep up do not differ in
/// throughput: the article's two rows cannot both be of one such load.
fn same_rps(results: &Results) -> Option<String> {
    let same = |load: &&Load| {
        let Some(baseline) = results.row(&load.name, &results.baseline) else {
            return false;
        };
        let mut others = results.rows_of(&load.name);
        load.paced
            && others.all(|row| {
                let found = differences(row, baseline, None);
                let mut rps = found.iter().filter(|d| d.words == "RPS");
                rps.all(|d| !d.is_real) && !found.is_empty()
            })
    };
    let loads = results.loads.iter().filter(same);
    let names: Vec<_> = loads.map(|load| load.name.as_str()).collect();
    (!names.is_empty() && results.servers().len() > 1).then(|| {
        format!(
            "{}: no server differs in RPS. The users set the pace there, and \
             every server kept up.",
            list(&names, "and")
        )
    })
}

/// "idle-1000: a connection costs 04-epoll 0.1 KiB and 0 threads".
fn cost_of_connections(results: &Results, load: &Load) -> Option<String> {
    let cost = |row: &Row| {
        let memory = MEMORY_EACH.over(row)?;
        let threads = THREADS_EACH.over(row)?;
        let (memory, server) = (three_digits(memory.max(0.0)), &row.server);
        Some(format!("{server} {memory} KiB and {threads:.0} threads"))
    };
    let costs: Vec<_> = results.rows_of(&load.name).filter_map(cost).collect();
    // A handful of connections drowns in what a process needs anyway.
    (load.connections >= 100 && !costs.is_empty()).then(|| {
        format!("{}: a connection costs {}.", load.name, costs.join(", "))
    })
}

/// What the measurement itself is worth: the baseline against itself.
// ANCHOR: worth
fn worth(results: &Results) -> Option<String> {
    let mut steady = Vec::new();
    let mut unsteady = Vec::new();
    for load in results.loads.iter().filter(|load| !load.idle) {
        let found = against_itself(results, &load.name);
        if found.is_empty() {
            continue;
        }
        let real: Vec<_> = found.iter().filter(|d| d.is_real).collect();
        if real.is_empty() {
            steady.push(load.name.as_str());
        }
        unsteady.extend(
            real.into_iter().map(|d| {
                format!("{} the {} at {}", times(d), d.words, load.name)
            }),
        );
    }
    let server = &results.baseline;
    let mut text = String::new();
    if !steady.is_empty() {
        let loads = list(&steady, "or");
        let _ = write!(
            text,
            "{server} against itself (A/A): no difference at {loads}."
        );
    }
    if !unsteady.is_empty() {
        let _ = write!(
            text,
            " {server} seems to differ from itself: {}. The machine was not \
             steady enough: do not believe differences of that size.",
            unsteady.join(", ")
        );
    }
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
// ANCHOR_END: worth
