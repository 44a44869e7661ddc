//! # Step 05: the comparison
//!
//! The article closes with two rows of numbers, one for a thread per client
//! and one for epoll. This step makes such rows on the reader's own machine:
//! it runs the servers of steps 01, 02 and 04, each in a process of its own,
//! under the same load, and says how they differ.
//!
//! | file | its one idea |
//! |---|---|
//! | `scenario.rs` | what the users do: the loads, as data |
//! | `schedule.rs` | when a user's next request is due |
//! | `contestant.rs` | the servers that are compared |
//! | `server.rs` | a contestant that runs: started, watched, ended |
//! | `cores.rs` | who runs on which core |
//! | `driver/` | thousands of users in one event loop |
//! | `meter.rs` | CPU time, memory and threads of another process |
//! | `kernel.rs` | what the kernel counted meanwhile |
//! | `rounds.rs` | every server takes its turn, again and again |
//! | `figures.rs` | the figures of one measurement |
//! | `little.rs` | the check that they fit together |
//! | `record.rs` | a row in the making |
//! | `results.rs` | all that was found, as data |
//! | `measures.rs` | the figures by name |
//! | `statistics.rs` | the median, and a ratio with its interval |
//! | `comparison.rs` | how servers differ, and whether they do |
//! | `report/` | what it prints and writes |
//! | `options.rs`, `trouble.rs` | the command line; why a measurement failed |
//!
//! The driver is the event loop of step 04, from the client's side.
#![cfg(target_os = "linux")]

mod comparison;
mod contestant;
mod cores;
mod driver;
mod figures;
mod kernel;
mod little;
mod measures;
mod meter;
mod options;
mod record;
mod report;
mod results;
mod rounds;
mod scenario;
mod schedule;
mod server;
mod statistics;
mod trouble;

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, ExitCode};

use clap::CommandFactory;
use clap::error::ErrorKind;
use epoll::Signals;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::exit_code;

pub use options::Options;
use options::{Command, ComparisonOptions};
use rounds::Plan;

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match &options.command {
        Some(Command::Serve { name, parent, backlog }) => {
            exit_code(name.serve(*parent, *backlog))
        }
        Some(Command::ServeExternal { parent, command }) => {
            ended(Err(become_external(*parent, command)))
        }
        Some(Command::Diff { before, after }) => ended(diff(before, after)),
        None => match options.comparison.plan() {
            Ok(plan) => match Signals::new() {
                Ok(interrupt) => {
                    ended(compare(&plan, &options.comparison, &interrupt))
                }
                Err(failure) => exit_code(Err(failure)),
            },
            Err(reason) => unusable(reason),
        },
    }
}

/// Says on stderr what went wrong, if something did.
fn ended(outcome: Result<(), String>) -> ExitCode {
    let Err(reason) = outcome else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "[!] {reason}");
    ExitCode::FAILURE
}

/// Unusable arguments: clap's words and exit status 2.
fn unusable(reason: String) -> ! {
    Options::command().error(ErrorKind::ArgumentConflict, reason).exit()
}

fn compare(
    plan: &Plan,
    options: &ComparisonOptions,
    interrupt: &Signals,
) -> Result<(), String> {
    raise_descriptor_limit();
    let in_folder = |folder: &Path, error: io::Error| {
        format!("--out: {}: {error}", folder.display())
    };
    if let Some(folder) = &options.out {
        // Now, and not when all is measured.
        report::prepare(folder).map_err(|e| in_folder(folder, e))?;
    }
    let results = plan.run(interrupt);
    let mut text = report::text(&results);
    if options.ratios {
        text += &format!("\n{}", report::ratios(&results));
    }
    let printed = print(&text);
    if let Some(folder) = &options.out {
        report::write(&results, folder).map_err(|e| in_folder(folder, e))?;
        print(&format!("\n{}\n", folder.join("report.html").display()))?;
    }
    printed?;
    if results.rows.iter().any(|row| row.failed) && !results.interrupted {
        return Err("not everything went well: see the notes".into());
    }
    Ok(())
}

fn diff(before: &Path, after: &Path) -> Result<(), String> {
    let read = |path: &Path| {
        report::read(path).map_err(|e| format!("{}: {e}", path.display()))
    };
    print(&report::diff(&read(before)?, &read(after)?))
}

fn print(text: &str) -> Result<(), String> {
    protocol::print(text)
        .map_err(|error| format!("the results could not be printed: {error}"))
}

/// A thousand users are a thousand descriptors, here and in the server, which
/// inherits the limit. `man 2 setrlimit`.
fn raise_descriptor_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Without it, what fails for want of descriptors is reported as that.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Puts a shell with `command`, and then the server, in this process's place.
/// Returns only to say why it could not.
fn become_external(parent: i32, command: &str) -> String {
    contestant::end_with_parent(parent);
    let line = format!("exec env {command}");
    let error = process::Command::new("sh").args(["-c", &line]).exec();
    format!("sh: {error}")
}
