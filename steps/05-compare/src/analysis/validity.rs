//! What to know before believing the figures.

use std::collections::BTreeMap;

use crate::results::metric::median;
use crate::results::round::Round;
use crate::results::row::{Load, Results, Row, Setup};
use crate::results::units::three_digits;

/// A client that is busy for more of the time limits the throughput, or that
/// has to wait for a core.
const CLIENT_BUSY: f64 = 0.9;
/// Where it waits for more than this part of the time, that is said.
const CLIENT_WAITED: f64 = 0.05;
/// If 1 of 100 requests is later, in seconds, that adds to the latencies; and
/// so does less, where it is more than this part of the latency at p99.
const CLIENT_LATE: f64 = 0.001;
const CLIENT_LATE_PART: f64 = 0.5;
/// Others that use more than so much of a processor are a load of their own: a
/// server that waits for its core a tenth of the time is as much slower as
/// what is to be told apart. What a quiet system does is far less.
const IDLE_LOAD: f64 = 0.1;

/// A row may be so far off Little's law, as a part of what the law says.
const TOLERANCE: f64 = 0.05;

/// Whether the client was what limited the throughput of this row.
pub(crate) fn client_was_busy(row: &Row) -> bool {
    median_of(row, |r| r.client_cpu + r.client_waited) > CLIENT_BUSY
}

fn median_of(row: &Row, of: fn(&Round) -> f64) -> f64 {
    median(row.rounds.iter().map(of)).unwrap_or(0.0)
}

/// Why the machine itself may be part of what was measured.
pub(crate) fn busy_machine(setup: &Setup) -> Option<String> {
    let Setup { other_load, processors, .. } = setup;
    (*other_load > IDLE_LOAD).then(|| {
        format!(
            "The machine was not idle: others used {other_load:.1} of its \
             {processors} processors meanwhile. What follows may be their \
             doing. Repeat it on an idle machine."
        )
    })
}

/// What a sceptic would say about each row, with the rows that it is about.
pub(crate) fn notes(results: &Results) -> Vec<String> {
    let mut notes = BTreeMap::<String, Vec<String>>::new();
    for row in &results.rows {
        let load = results.load(&row.load);
        for note in load.map_or(Vec::new(), |load| of_row(row, load)) {
            notes.entry(note).or_default().push(row.name());
        }
    }
    let line = |(note, rows): (&String, &Vec<String>)| {
        format!("{}: {note}", rows.join("; "))
    };
    notes.iter().map(line).collect()
}

fn of_row(row: &Row, load: &Load) -> Vec<String> {
    if row.again && !row.has_failed() {
        return Vec::new(); // the same as of the baseline's first row
    }
    let mut notes = Vec::from_iter(row.skipped.clone());
    notes.extend(row.rounds.iter().filter_map(|r| r.failure.clone()));
    notes.dedup();
    let errors = row.errors().into_iter();
    notes.extend(errors.map(|(kind, count)| format!("{count} x {kind}")));
    let mut rounds = row.rounds.iter();
    if rounds.any(|round| round.lower_bounds_from.is_some()) {
        notes.push(String::from(
            "≥ is a lower bound: a request without a reply counts with its \
             time until then",
        ));
    }
    if row.rounds.iter().any(|round| round.cpu_is_bound) {
        notes.push(String::from(
            "≥ is a lower bound: the server ignores SIGCHLD, so that the \
             kernel forgets the CPU time of its children",
        ));
    }
    notes.extend(of_client(row, load));
    let mut rounds = row.rounds.iter();
    notes.extend(rounds.find_map(|r| violation(r, load.connections)));
    notes
}

/// What the client could not do, which is not the server's doing.
fn of_client(row: &Row, load: &Load) -> Vec<String> {
    let mut notes = Vec::new();
    if client_was_busy(row) {
        notes.push(String::from(
            "the client was busy for more than 90 % of the time: where the \
             server was not (CPU %), it can do more",
        ));
    }
    let waited = median_of(row, |round| round.client_waited);
    if waited > CLIENT_WAITED && !load.idle {
        notes.push(format!(
            "the client had to wait for a core for {:.0} % of the time: that \
             is part of the latencies",
            waited.min(1.0) * 1e2
        ));
    }
    let late = median_of(row, |round| round.lateness);
    let p99 = median_of(row, |round| round.latency.p99);
    if late > CLIENT_LATE.min(p99 * CLIENT_LATE_PART) && !load.idle {
        notes.push(format!(
            "the client sent 1 of 100 requests {} ms late or more: that is \
             part of the latencies",
            three_digits(late * 1e3)
        ));
    }
    notes
}

/// What is wrong with a round of `users`, if it breaks Little's law: throughput
/// and latency that do not fit together were not measured in the way that the
/// row claims.
pub(crate) fn violation(round: &Round, users: usize) -> Option<String> {
    let expected = round.expected_rps.filter(|_| !round.is_dead())?;
    if round.latency.max > round.seconds {
        return Some(String::from(
            "some replies took longer than it was measured: a longer \
             --duration says more",
        ));
    }
    // Think times are drawn by chance: with few requests that shows.
    let chance = 4.0 / (expected * round.seconds).sqrt();
    // What was in flight at the begin was due before it.
    let edge = round.latency.p99 / round.seconds;
    let off = (round.rps / expected - 1.0).abs();
    (off > TOLERANCE + chance + edge).then(|| {
        format!(
            "breaks Little's law: {:.0} RPS, but {users} users with this \
             latency make {expected:.0}",
            round.rps
        )
    })
}
