//! Results in files, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{csv, html};
use crate::results::row::Results;

/// The file that `diff` reads.
const RESULTS: &str = "results.json";

/// Creates `folder`, and tries whether files can be written into it. What is
/// there stays.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = aside(folder, RESULTS);
    File::create(&probe)?;
    fs::remove_file(probe)
}

/// Writes all files into `folder`. Older ones are replaced when all of the new
/// ones are complete: neither a full disk nor a crash harms them.
/// `man 2 rename`.
// ANCHOR: write
pub(crate) fn write(results: &Results, folder: &Path) -> io::Result<()> {
    let files = [
        (RESULTS, serde_json::to_string_pretty(results)?),
        ("report.html", html::page(results)),
        ("stats.csv", csv::stats(results)),
        ("failures.csv", csv::failures(results)),
    ];
    let written = files.iter().try_for_each(|(name, text)| {
        let mut file = File::create(aside(folder, name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let names = files.iter().map(|(name, _)| name);
    let moved = written.and_then(|()| {
        let mut names = names.clone();
        names.try_for_each(|name| {
            fs::rename(aside(folder, name), folder.join(name))
        })
    });
    if moved.is_err() {
        names.for_each(|name| drop(fs::remove_file(aside(folder, name))));
    }
    moved
}
// ANCHOR_END: write

fn aside(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}", std::process::id()))
}

/// Reads a `results.json`.
pub(crate) fn read(path: &Path) -> io::Result<Results> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}
