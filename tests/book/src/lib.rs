//! # The book's terminal sessions: read a script, play it, show what came out
//!
//! `record` writes the result into the book; the book's test plays the same
//! script again and compares. CONTRIBUTING and `book/sessions/README` say how
//! to add a session.

pub mod listings;
mod play;
mod ports;
mod screen;
mod script;
mod terminal;

use std::path::{Path, PathBuf};

pub use play::play;
pub use script::Session;

/// The folder of the book in this workspace.
#[must_use]
pub fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book")
}

/// Where what terminal number `terminal` of `session` shows is kept.
#[must_use]
pub fn transcript(session: &str, terminal: usize) -> PathBuf {
    book().join(format!("src/transcripts/{session}.{terminal}.txt"))
}

/// Where the picture that `session` draws is kept.
#[must_use]
pub fn picture(session: &str) -> PathBuf {
    book().join(format!("src/pictures/{session}.svg"))
}

/// Whether `tool` is in one of the folders of `PATH`.
pub(crate) fn installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}
