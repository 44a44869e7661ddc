//! A load that lasts shows what a short one hides: a server that grows.

use crate::results::row::{Results, Row, Sample};
use crate::results::units::three_digits;

/// What is measured for less than this, in seconds, is still warming up.
const MIN_SECONDS: f64 = 10.0;

/// How much more memory a server had in the last tenth of a long round than
/// after the first.
pub(crate) fn sentence(results: &Results, row: &Row) -> Option<String> {
    let seconds = row.rounds.first()?.seconds;
    let load = results.loads.iter().find(|load| load.name == row.load)?;
    if seconds < MIN_SECONDS || !load.paced {
        return None;
    }
    let tenth = row.samples.len() / row.rounds.len() / 10;
    let first = row.samples.get(tenth..2 * tenth)?;
    let last = row.samples.get(row.samples.len().checked_sub(tenth)?..)?;
    let (before, after) = (largest(first)?, largest(last)?);
    let word = if after < before { "less" } else { "more" };
    let grown = three_digits((after - before).abs() / 1_024.0);
    Some(format!(
        "{}, {}: {grown} KiB {word} memory at the end than after the first tenth \
         of {seconds:.0} s.",
        row.load, row.server
    ))
}

fn largest(samples: &[Sample]) -> Option<f64> {
    samples.iter().map(|sample| sample.memory as f64).reduce(f64::max)
}
