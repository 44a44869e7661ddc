//! What a stage adds to the one before, as a diff.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use similar::TextDiff;

use crate::course::{Step, shown};
use crate::{Result, say};

/// Prints the difference, or the list of the step's stages.
///
/// # Errors
/// The step has no such stage.
pub(crate) fn show(step: Step, number: Option<usize>) -> Result<()> {
    let Some(number) = number else { return list(step) };
    let text = match step.stage(number)? {
        (path, None) => read(&path)?,
        (path, Some(before)) => difference(&before, &path)?,
    };
    let colored = io::stdout().is_terminal();
    for line in text.lines() {
        match line.as_bytes().first() {
            Some(b'+') if colored => say(&format!("\x1b[32m{line}\x1b[0m")),
            Some(b'-') if colored => say(&format!("\x1b[31m{line}\x1b[0m")),
            _ => say(line),
        }
    }
    Ok(())
}

fn list(step: Step) -> Result<()> {
    for (stage, path) in step.stages()? {
        let lines = read(&path)?.lines().count();
        let (number, adds, path) = (stage.number, stage.adds, shown(&path));
        say(&format!(
            "stage {number}  {lines:>3} lines  {adds}\n         {path}"
        ));
    }
    Ok(())
}

/// The unified diff of two stages.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn difference(before: &Path, after: &Path) -> Result<String> {
    let (old, new) = (read(before)?, read(after)?);
    let diff = TextDiff::from_lines(&old, &new);
    let mut diff = diff.unified_diff();
    Ok(diff.header(&shown(before), &shown(after)).to_string())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", shown(path)))
}
