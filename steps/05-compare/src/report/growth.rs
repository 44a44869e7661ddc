//! A load that lasts shows what a short one hides: a server that grows.

use super::format::three_digits;
use crate::results::{Moment, Results, Row};

/// Whoever is measured for less than this, in seconds, is still warming up.
const LONG: f64 = 10.0;

/// How much more memory a server had in the last tenth of a long round than
/// after the first.
pub(crate) fn sentence(results: &Results, row: &Row) -> Option<String> {
    let seconds = row.rounds.first()?.seconds;
    let load = results.loads.iter().find(|load| load.name == row.load)?;
    if seconds < LONG || !load.paced {
        return None;
    }
    let tenth = row.timeline.len() / row.rounds.len() / 10;
    let first = row.timeline.get(tenth..2 * tenth)?;
    let last = row.timeline.get(row.timeline.len().checked_sub(tenth)?..)?;
    let (before, after) = (largest(first)?, largest(last)?);
    let word = if after < before { "less" } else { "more" };
    let grown = three_digits((after - before).abs() / 1_024.0);
    Some(format!(
        "{}, {}: {grown} KiB {word} memory at the end than after the first tenth \
         of {seconds:.0} s.",
        row.load, row.server
    ))
}

fn largest(moments: &[Moment]) -> Option<f64> {
    moments.iter().map(|moment| moment.memory as f64).reduce(f64::max)
}
