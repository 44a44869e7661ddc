//! What a comparison prints and writes.

mod chart;
mod csv;
mod diff;
mod format;
mod growth;
mod page;
mod plots;
mod ratios;
mod scale;
mod stalls;
mod table;
mod verdict;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

pub(crate) use diff::diff;
pub(crate) use format::three_digits;
pub(crate) use ratios::text as ratios;

use crate::results::Results;

/// The file that `diff` reads.
const RESULTS: &str = "results.json";

/// What stands in the terminal: the table, what its rows are, and what they
/// mean.
pub(crate) fn text(results: &Results) -> String {
    let mut text = table::table(results);
    text.push('\n');
    for load in &results.loads {
        text += &format!("{}: {}\n", load.name, load.description);
    }
    let rounds = rounds(results);
    text += &format!("Medians of {rounds}, {}.\n", results.machine);
    for (title, sentences) in verdict::sections(results) {
        text += &format!("\n{title}\n");
        for sentence in sentences {
            text += &format!("- {sentence}\n");
        }
    }
    text
}

/// "5 rounds", or how much of them there was time for.
fn rounds(results: &Results) -> String {
    let planned = match results.rounds {
        1 => "1 round".into(),
        count => format!("{count} rounds"),
    };
    let part =
        if results.interrupted { ", interrupted before the end" } else { "" };
    planned + part
}

/// The notes, each with the rows that it is about.
fn notes(results: &Results) -> Vec<String> {
    let mut notes = BTreeMap::<&str, Vec<String>>::new();
    for row in &results.rows {
        let again = if row.again { " (A/A)" } else { "" };
        for note in row.notes.iter().filter(|_| !row.again || row.failed) {
            let name = format!("{}, {}{again}", row.load, row.server);
            notes.entry(note).or_default().push(name);
        }
    }
    let said = notes.iter();
    said.map(|(note, rows)| format!("{}: {note}", rows.join("; "))).collect()
}

/// Sees to it that files can be written into `folder`. What is there stays.
///
/// # Errors
/// The folder cannot be made, or not be written.
pub(crate) fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut append = OpenOptions::new();
    append.create(true).append(true);
    append.open(folder.join(RESULTS)).map(drop)
}

/// Writes all files into `folder`.
///
/// # Errors
/// The first file that could not be written.
pub(crate) fn write(results: &Results, folder: &Path) -> io::Result<()> {
    let json = serde_json::to_string_pretty(results)?;
    fs::write(folder.join(RESULTS), json)?;
    fs::write(folder.join("report.html"), page::page(results))?;
    fs::write(folder.join("stats.csv"), csv::stats(results))?;
    fs::write(folder.join("failures.csv"), csv::failures(results))
}

/// Reads a `results.json`.
///
/// # Errors
/// It cannot be read, or is none.
pub(crate) fn read(path: &Path) -> io::Result<Results> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}
