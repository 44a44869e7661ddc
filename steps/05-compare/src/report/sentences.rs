//! What the figures mean, in sentences.

use std::fmt::Write;

use super::table::with_interval;
use crate::analysis::comparison::{
    COMPARED, Difference, against_itself, differences,
};
use crate::analysis::{growth, stalls, validity};
use crate::results::metric::{MEMORY_EACH, THREADS_EACH};
use crate::results::row::{Load, Results, Row};
use crate::results::units::three_digits;

/// All sentences, the most important first, under a heading each.
pub(crate) fn sections(results: &Results) -> Vec<(&'static str, Vec<String>)> {
    let rows = || results.rows.iter().filter(|row| !row.again);
    let others = results.servers().into_iter();
    let others = others.filter(|&server| server != results.baseline);
    let mut differences =
        Vec::from_iter(validity::busy_machine(&results.setup));
    differences.extend(rows().filter_map(silence));
    differences.extend(others.flat_map(|name| against_baseline(results, name)));
    differences.extend(same_rps(results));
    let idle = results.loads.iter().filter(|load| load.idle);
    differences.extend(idle.filter_map(|load| cost(results, load)));

    let stalls = rows().flat_map(stalls::sentences);
    let long = rows().filter_map(|row| growth::sentence(results, row));
    let sections = [
        ("How the servers differ", differences),
        ("What stalled, and what grew", stalls.chain(long).collect()),
        ("What the measurement is worth", worth(results)),
    ];
    sections.into_iter().filter(|(_, said)| !said.is_empty()).collect()
}

/// "5 rounds", or how much of them there was time for.
pub(crate) fn rounds(results: &Results) -> String {
    let planned = match results.setup.rounds {
        1 => "1 round".into(),
        count => format!("{count} rounds"),
    };
    let part =
        if results.interrupted { ", interrupted before the end" } else { "" };
    planned + part
}

/// A server that says nothing is not compared: it has failed.
fn silence(row: &Row) -> Option<String> {
    let (dead, rounds) = (row.dead_rounds(), row.rounds.len());
    (dead > 0).then(|| {
        format!(
            "{}: answered nothing in {dead} of {rounds} rounds.",
            row.name()
        )
    })
}

/// A sentence for each metric in which `server` differs, and one for those in
/// which it does not.
// ANCHOR: against
fn against_baseline(results: &Results, server: &str) -> Vec<String> {
    let found: Vec<_> = results
        .busy_loads()
        .filter_map(|load| {
            let row = results.row(&load.name, server)?;
            let mut found = differences(results, row);
            // Where it was silent, "no difference" would be too kind.
            found.retain(|d| d.is_significant || row.dead_rounds() == 0);
            Some((load, found))
        })
        .collect();
    let mut sentences = Vec::new();
    let mut same = Vec::new();
    for compared in &COMPARED {
        let of_load = |(load, found): &(&Load, Vec<Difference>)| {
            let found = found.iter().find(|d| d.key == compared.key)?;
            Some((place(load), *found))
        };
        let (real, none): (Vec<_>, Vec<_>) = found
            .iter()
            .filter_map(of_load)
            .partition(|(_, difference)| difference.is_significant);
        if !real.is_empty() {
            let sentence = compared.sentence.replace("{server}", server);
            let sentence = sentence.replace("{other}", &results.baseline);
            sentences.push(sentence_of(&sentence, &real, &none));
        } else if !none.is_empty() {
            same.push(compared.name);
        }
    }
    if !same.is_empty() {
        let (other, names) = (&results.baseline, list(&same, "or"));
        sentences
            .push(format!("{server} and {other}: no difference in {names}."));
    }
    sentences
}
// ANCHOR_END: against

/// "04-epoll used 0.58 times [0.55, 0.61] the CPU time of 02-threads per
/// request at high (1000 users); no difference at low (10 users)."
fn sentence_of(
    sentence: &str,
    real: &[(String, Difference)],
    none: &[(String, Difference)],
) -> String {
    let mut text = String::new();
    for (index, (place, difference)) in real.iter().enumerate() {
        let times = times(difference);
        let _ = match index {
            0 => {
                let first = sentence.replace("{times}", &times);
                write!(text, "{first} at {place}")
            }
            _ => write!(text, ", {times} at {place}"),
        };
    }
    if !none.is_empty() {
        let places: Vec<_> = none.iter().map(|(place, _)| &**place).collect();
        let _ = write!(text, "; no difference at {}", list(&places, "or"));
    }
    text + "."
}

/// A load, and its users where its name does not say how many.
fn place(load: &Load) -> String {
    let Load { name, connections, .. } = load;
    if name.contains(|c: char| c.is_ascii_digit()) {
        return name.clone();
    }
    format!("{name} ({connections} users)")
}

/// `0.58 times [0.55, 0.61]`. Where the client limited the faster one, that
/// might be further from 1.
fn times(difference: &Difference) -> String {
    let [value, interval] = with_interval(&difference.ratio);
    let bound = match difference.is_bound {
        true if difference.ratio.value > 1.0 => "at least ",
        true => "at most ",
        false => "",
    };
    format!("{bound}{value} times {interval}")
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
        let mut others = results
            .rows_of(&load.name)
            .filter(|row| row.server != results.baseline);
        load.paced
            && others.all(|row| {
                let found = differences(results, row);
                let mut rps = found.iter().filter(|d| d.key == "rps");
                row.dead_rounds() == 0
                    && !found.is_empty()
                    && rps.all(|d| !d.is_significant)
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

/// "idle-1000: a connection costs 04-epoll 0.1 KiB and no thread".
fn cost(results: &Results, load: &Load) -> Option<String> {
    let of_row = |row: &Row| {
        let memory = MEMORY_EACH.aggregate(row)?;
        let threads = THREADS_EACH.aggregate(row)?;
        let (memory, server) = (three_digits(memory.max(0.0)), &row.server);
        let threads = match threads.round() {
            0.0 => "no thread".into(),
            1.0 => "a thread".into(),
            many => format!("{many} threads"),
        };
        Some(format!("{server} {memory} KiB and {threads}"))
    };
    let costs: Vec<_> =
        results.rows_of(&load.name).filter_map(of_row).collect();
    // A handful of connections drowns in what a process needs anyway.
    (load.connections >= 100 && !costs.is_empty()).then(|| {
        format!(
            "{}: a connection costs {}. That is the process's own memory: what \
             the kernel keeps for a socket and for a thread comes on top.",
            load.name,
            costs.join(", ")
        )
    })
}

const ONE_ROUND: &str = "One round has no interval: with more (--rounds) it \
    is said whether servers differ.";

/// What the measurement itself is worth: the baseline against itself, and the
/// notes to the rows.
// ANCHOR: worth
fn worth(results: &Results) -> Vec<String> {
    let found: Vec<_> = results
        .busy_loads()
        .map(|load| (load, against_itself(results, &load.name)))
        .filter(|(_, found)| !found.is_empty())
        .collect();
    let server = &results.baseline;
    let mut sentences = Vec::new();
    if results.setup.rounds < 2 {
        sentences.push(ONE_ROUND.into());
    }
    let is_steady =
        |found: &[Difference]| found.iter().all(|d| !d.is_significant);
    let steady = found.iter().filter(|(_, found)| is_steady(found));
    let steady: Vec<_> = steady.map(|(load, _)| load.name.as_str()).collect();
    if !steady.is_empty() {
        let loads = list(&steady, "or");
        sentences.push(format!(
            "{server} against itself (A/A): no difference at {loads}."
        ));
    }
    for (load, found) in found {
        for real in found.iter().filter(|found| found.is_significant) {
            let (times, name, place) = (times(real), real.name, place(load));
            sentences.push(format!(
                "{server} seems to have {times} the {name} of itself at \
                 {place}: the machine was not steady. Do not believe \
                 differences of that size."
            ));
        }
    }
    sentences.extend(validity::notes(results));
    sentences
}
// ANCHOR_END: worth
