//! The servers of this workspace as subjects.

use crate::{Launch, Subject};

/// The server of the step whose test this is, as its name and the path of the
/// program that Cargo has just built.
///
/// Cargo sets `CARGO_BIN_EXE_…` only for the tests of the package that owns the
/// program. So the steps name the shared tests as their own, and the same file
/// is compiled for each.
#[macro_export]
macro_rules! server_of_this_step {
    () => {
        if let Some(path) = option_env!("CARGO_BIN_EXE_01-blocking") {
            ("01-blocking", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_02-threads") {
            ("02-threads", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_04-epoll") {
            ("04-epoll", path)
        } else {
            ("no server", "")
        }
    };
}

/// How to start the server at `path` on a port of the kernel's choice.
#[must_use]
pub fn launch(path: &str) -> Launch {
    Launch::program(path, &["--port", "{port}"])
}

/// The server `name` at `path` in each of its modes, with the mode's name.
#[must_use]
pub fn subjects(name: &str, path: &str) -> Vec<(&'static str, Subject)> {
    let subject = |args: &[&str]| Subject::command(launch(path).args(args));
    let limits = ["--max-connections", "--idle-timeout"];
    match name {
        "01-blocking" => vec![("", subject(&[]).one_at_a_time(true))],
        "04-epoll" => ["edge", "level"]
            .map(|mode| (mode, subject(&["--trigger", mode]).options(&limits)))
            .into(),
        _ => vec![("", subject(&[]).options(&limits))],
    }
}
