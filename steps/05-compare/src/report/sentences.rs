//! What the figures mean, in sentences.

use super::table::with_interval;
use crate::analysis::comparison::{
    COMPARED, ComparedMetric, Difference, against_itself, differences,
};
use crate::analysis::{stalls, validity};
use crate::results::metric::{MEMORY_EACH, THREADS_EACH};
use crate::results::row::{Load, Results, Row, Setup};
use crate::results::units::three_digits;

/// All sentences, the most important first, under a heading each.
pub(crate) fn sections(results: &Results) -> Vec<(&'static str, Vec<String>)> {
    let others = results.servers().into_iter();
    let others = others.filter(|&server| server != results.baseline);
    let mut differ = Vec::from_iter(validity::busy_machine(&results.setup));
    differ.extend(results.rows().filter_map(unreliable));
    differ.extend(others.flat_map(|name| against_baseline(results, name)));
    differ.extend(same_rps(results));
    differ.extend(results.loads.iter().filter_map(|load| cost(results, load)));
    let sections = [
        ("How the servers differ", differ),
        ("What stalled, and what grew", stalls::sentences(results)),
        ("What the measurement is worth", worth(results)),
    ];
    sections.into_iter().filter(|(_, said)| !said.is_empty()).collect()
}

/// "5 rounds", or how much of them there was time for.
pub(crate) fn rounds(results: &Results) -> String {
    let count = results.setup.rounds;
    let plural = if count == 1 { "" } else { "s" };
    let part =
        if results.interrupted { ", interrupted before the end" } else { "" };
    format!("{count} round{plural}{part}")
}

pub(crate) fn machine(setup: &Setup) -> String {
    let Setup { date, kernel, processor, processors, .. } = setup;
    format!("{date}, Linux {kernel}, {processor} x {processors}")
}

/// A server that leaves requests without a reply is called better in nothing.
pub(crate) fn unreliable(row: &Row) -> Option<String> {
    let [errors, requests] = row.failures();
    let (silent, rounds) = (row.silent_rounds(), row.rounds.len());
    row.is_unreliable().then(|| match silent {
        0 => format!(
            "{}: {errors} errors in {requests} requests, so it is called \
             better in nothing.",
            row.name()
        ),
        _ if requests == 0 && !row.has_failed() => format!(
            "{}: no request was due in the time that was measured: a longer \
             --duration says more.",
            row.name()
        ),
        _ => format!(
            "{}: answered nothing in time in {silent} of {rounds} rounds.",
            row.name()
        ),
    })
}

/// A sentence for each metric in which `server` differs, one for the others.
fn against_baseline(results: &Results, server: &str) -> Vec<String> {
    let loads = results.busy_loads().filter_map(|load| {
        let row = results.row(&load.name, server)?;
        let mut found = differences(results, row);
        // Where it was silent, "no difference" would be too kind.
        found.retain(|d| d.is_significant || !row.is_unreliable());
        Some((place(load), found))
    });
    let loads: Vec<_> = loads.collect();
    let (mut sentences, mut same) = (Vec::new(), Vec::new());
    for compared in &COMPARED {
        let places = loads.iter().filter_map(|(place, found)| {
            let found = found.iter().find(|d| d.key == compared.key)?;
            Some((place.as_str(), found))
        });
        let (real, none): (Vec<_>, Vec<_>) =
            places.partition(|(_, difference)| difference.is_significant);
        if !real.is_empty() {
            let text = sentence_of(compared, &real, &none);
            let text = text.replace("{server}", server);
            sentences.push(text.replace("{other}", &results.baseline));
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

/// "04-epoll used 0.58 times [0.55, 0.61] the CPU time of 02-threads per
/// request at high (1000 users); no difference at low (10 users)."
fn sentence_of(
    compared: &ComparedMetric,
    real: &[(&str, &Difference)],
    none: &[(&str, &Difference)],
) -> String {
    let mut text = String::new();
    for (place, difference) in real {
        let times = times(difference);
        text += &match &*text {
            "" => compared.sentence.replace("{times}", &times) + " at " + place,
            _ => format!(", {times} at {place}"),
        };
    }
    if !none.is_empty() {
        let places: Vec<_> = none.iter().map(|(place, _)| *place).collect();
        text += &format!("; no difference at {}", list(&places, "or"));
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
        [start @ .., end] if !start.is_empty() => {
            format!("{} {last} {end}", start.join(", "))
        }
        few => few.concat(),
    }
}

/// Under loads whose users set the pace, servers that keep up do not differ in
/// throughput: the article's two rows cannot both be of one such load.
fn same_rps(results: &Results) -> Option<String> {
    let is_same = |row: &Row| {
        let found = differences(results, row);
        let mut rps = found.iter().filter(|d| d.key == "rps");
        !row.is_unreliable() && rps.next().is_some_and(|d| !d.is_significant)
    };
    let same = |load: &&Load| {
        let rows = results.rows_of(&load.name);
        let mut others = rows.filter(|row| row.server != results.baseline);
        load.paced && others.all(is_same)
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

/// "idle-1000: a connection costs 04-epoll 0.1 KiB and no thread". A handful
/// of connections drowns in what a process needs anyway.
fn cost(results: &Results, load: &Load) -> Option<String> {
    let of_row = |row: &Row| {
        // Without a reply there is no cost to tell.
        let memory = MEMORY_EACH.aggregate(row).filter(|m| m.is_finite())?;
        let memory = three_digits(memory.max(0.0));
        let threads = match THREADS_EACH.aggregate(row)?.round() {
            0.0 => "no thread".into(),
            1.0 => "a thread".into(),
            many => format!("{many} threads"),
        };
        Some(format!("{} {memory} KiB and {threads}", row.server))
    };
    let rows = results.rows_of(&load.name);
    let costs: Vec<_> = rows.filter_map(of_row).collect();
    (load.idle && load.connections >= 100 && !costs.is_empty()).then(|| {
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

/// The baseline against itself, and the notes to the rows.
fn worth(results: &Results) -> Vec<String> {
    let server = &results.baseline;
    let (mut steady, mut unsteady) = (Vec::new(), Vec::new());
    for load in results.busy_loads() {
        let found = against_itself(results, &load.name);
        if !found.is_empty() && found.iter().all(|d| !d.is_significant) {
            steady.push(load.name.as_str());
        }
        for real in found.iter().filter(|found| found.is_significant) {
            let (times, name, place) = (times(real), real.name, place(load));
            unsteady.push(format!(
                "{server} seems to have {times} the {name} of itself at \
                 {place}: the machine was not steady. Do not believe \
                 differences of that size."
            ));
        }
    }
    let single = results.setup.rounds < 2;
    let mut sentences = Vec::from_iter(single.then(|| ONE_ROUND.into()));
    if !steady.is_empty() {
        let loads = list(&steady, "or");
        sentences.push(format!(
            "{server} against itself (A/A): no difference at {loads}."
        ));
    }
    sentences.extend(unsteady);
    sentences.extend(validity::notes(results));
    sentences
}
