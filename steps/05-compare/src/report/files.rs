//! Results in files, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{csv, html};
use crate::results::row::Results;

/// Creates `folder` if it is not there, and tries to write into it.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(aside(folder))?;
    fs::remove_dir_all(aside(folder))
}

/// Writes all files into `folder`. Older ones are replaced when all of the new
/// ones are complete: neither a full disk nor a crash harms them.
/// `man 2 rename`.
/// A run that was interrupted replaces none but another such.
pub(crate) fn write(results: &Results, folder: &Path) -> io::Result<()> {
    if results.interrupted && !is_partial(&folder.join("results.json")) {
        return Err(io::Error::other(
            "not written: this run was interrupted, and the results that are \
             there may be complete",
        ));
    }
    let files = [
        ("results.json", serde_json::to_string_pretty(results)?),
        ("report.html", html::page(results)),
        ("stats.csv", csv::stats(results)),
    ];
    let aside = aside(folder);
    fs::create_dir_all(&aside)?;
    let mut written = files.iter().try_for_each(|(name, text)| {
        let mut file = File::create(aside.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    for (name, _) in &files {
        written = written
            .and_then(|()| fs::rename(aside.join(name), folder.join(name)));
    }
    let _ = fs::remove_dir_all(aside);
    written
}

/// Whether there are no results, or those of an interrupted run.
fn is_partial(path: &Path) -> bool {
    match read(path) {
        Ok(results) => results.interrupted,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// A folder within `folder`, so that it is on the same file system.
fn aside(folder: &Path) -> PathBuf {
    folder.join(format!(".new.{}", std::process::id()))
}

/// Reads a `results.json`, for `diff`.
pub(crate) fn read(path: &Path) -> io::Result<Results> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}
