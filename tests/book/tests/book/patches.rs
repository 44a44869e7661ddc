//! The patches that take a trick of step 04 or 09 back.

use std::path::Path;
use std::process::Command;

use crate::pages::{Pages, files_below};

/// Each applies to the code as it is.
pub(crate) fn apply(pages: &Pages) -> Vec<String> {
    let book = pages.source.parent().unwrap_or(Path::new("."));
    let patches = match files_below(&book.join("without"), "patch") {
        Ok(patches) => patches,
        Err(error) => return vec![format!("book/without: {error}")],
    };
    patches.iter().filter_map(|patch| problem(book, patch)).collect()
}

fn problem(book: &Path, patch: &Path) -> Option<String> {
    let root = book.parent().unwrap_or(book);
    let mut git = Command::new("git");
    git.args(["apply", "--check"]).arg(patch).current_dir(root);
    let output = match git.output() {
        Ok(output) => output,
        Err(error) if !harness::in_ci() => {
            eprintln!("skipped: git: {error}");
            return None;
        }
        Err(error) => return Some(format!("git: {error}")),
    };
    let reason = String::from_utf8_lossy(&output.stderr);
    let name = patch.file_name().unwrap_or_default().display();
    (!output.status.success())
        .then(|| format!("book/without: {name} no longer applies: {reason}"))
}
