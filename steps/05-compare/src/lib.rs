//! # Step 05: the comparison
//!
//! The article closes with two rows of numbers, one for a thread per client
//! and one for epoll. This step makes such rows on the reader's own machine:
//! it runs the servers of steps 01, 02 and 04, each in a process of its own,
//! under the same load, and says how they differ.
//!
//! The folders are the way of a figure, from what is sent to what is printed:
//!
//! | folder or file | its one idea |
//! |---|---|
//! | `load/` | what the users do: loads, as data |
//! | `target/` | the servers: started, watched, ended whole |
//! | `driver/` | thousands of users in one event loop |
//! | `runner.rs` | every server takes its turn, again and again |
//! | `results/` | the numbers, and how they are written |
//! | `analysis/` | what they mean: how servers differ, and whether they do |
//! | `report/` | text, JSON, Markdown, CSV, a page with charts |
//! | `cli.rs`, `plan.rs` | the options, and what they come to |
//! | `setup.rs`, `error.rs` | the machine; what went wrong |
//!
//! `load` and `results` know nothing of the others, and nothing knows
//! `report`. The driver is the event loop of step 04, from the client's side.
#![cfg(target_os = "linux")]

mod analysis;
mod cli;
mod driver;
mod error;
mod load;
mod plan;
pub mod report;
pub mod results;
mod runner;
mod setup;
pub mod target;
#[cfg(test)]
#[path = "../tests/unit/mod.rs"]
mod unit;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::CommandFactory;
use clap::error::ErrorKind;
use epoll::Signals;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::exit_code;

use analysis::gate::{self, Condition};
use cli::Command;
pub use cli::Options;
use results::row::Row;
use runner::Plan;
use setup::{other_load, setup, used_by_others};

/// Does what the command line asks for.
pub fn run(options: &Options) -> ExitCode {
    // What fails here is as it was before.
    let _ = blocking::reset_inherited();
    match &options.command {
        Some(Command::Serve { name, options }) => {
            exit_code(name.serve(options.clone()))
        }
        Some(Command::Diff { before, after, fail_if }) => {
            report_error(diff(before, after, fail_if))
        }
        None => run_comparison(options),
    }
}

fn run_comparison(options: &Options) -> ExitCode {
    let plan = options.plan().unwrap_or_else(|reason| {
        // Unusable arguments: clap's words and exit status 2.
        let kind = ErrorKind::ArgumentConflict;
        Options::command().error(kind, reason).exit()
    });
    match Signals::new() {
        Ok(interrupt) => report_error(compare(&plan, options, &interrupt)),
        Err(error) => exit_code(Err(error)),
    }
}

/// Prints on stderr what went wrong, if something did.
fn report_error(outcome: Result<(), String>) -> ExitCode {
    let Err(reason) = outcome else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "[!] {reason}");
    ExitCode::FAILURE
}

/// The default loads are the article's, which leave most of each server idle.
const TRY_NEXT: &str = "
Try next
- 05-compare -s keep-alive: connections kept, as much as a server can do
- 05-compare -s idle: what a connection costs that says nothing
- 05-compare -s burst --backlog 5: the article's accept queue
- 05-compare --out results: a report to read, with plots
";

fn compare(
    plan: &Plan,
    options: &Options,
    interrupt: &Signals,
) -> Result<(), String> {
    target::proc::available()?;
    // Without it, what fails for want of descriptors is reported as that.
    let _ = raise_descriptor_limit();
    let in_folder = |folder: &Path, error: io::Error| {
        format!("--out: {}: {error}", folder.display())
    };
    if let Some(folder) = &options.out {
        // Now, and not when all is measured.
        report::check_folder(folder).map_err(|e| in_folder(folder, e))?;
    }
    let (begin, used) = (Instant::now(), used_by_others());
    let mut results = plan.run(setup(plan), interrupt);
    results.setup.other_load = other_load(begin, used);
    let mut text = match (options.json, options.markdown) {
        (true, _) => report::json(&results),
        (_, true) => report::markdown(&results, &report::COLUMNS),
        _ => report::text(&results),
    };
    if options.ratios {
        text += &format!("\n{}", report::ratios(&results));
    }
    if !(options.json || options.markdown || results.interrupted) {
        text += TRY_NEXT;
    }
    let printed = print(&text);
    let measured = results.rows.iter().any(|row| !row.rounds.is_empty());
    if let Some(folder) = options.out.as_ref().filter(|_| measured) {
        report::write(&results, folder).map_err(|e| in_folder(folder, e))?;
        if !options.json {
            let page = folder.join("report.html");
            print(&format!("\n{}\n", page.display()))?;
        }
    }
    printed?;
    let failed = results.rows.iter().any(Row::has_failed);
    if failed && !results.interrupted {
        return Err("not everything went well: see the notes".into());
    }
    Ok(())
}

fn diff(
    before: &Path,
    after: &Path,
    conditions: &[Condition],
) -> Result<(), String> {
    let read = |path: &Path| {
        report::read(path).map_err(|e| format!("{}: {e}", path.display()))
    };
    let (before, after) = (read(before)?, read(after)?);
    let noted = gate::check(&before, &after, !conditions.is_empty())?;
    print(&(report::diff(&before, &after) + &noted))?;
    let found = conditions.iter().flat_map(|one| one.found(&before, &after));
    // What cannot be compared is the same for each condition.
    let found = Vec::from_iter(found.collect::<BTreeSet<_>>());
    if found.is_empty() { Ok(()) } else { Err(found.join("\n[!] ")) }
}

fn print(text: &str) -> Result<(), String> {
    load_client::print(text)
        .map_err(|error| format!("the results could not be printed: {error}"))
}

/// A thousand users are a thousand descriptors, here and in the server, which
/// inherits the limit. Raises it as far as it goes, and returns it.
/// `man 2 setrlimit`.
///
/// # Errors
/// EPERM, where a sandbox forbids it.
pub fn raise_descriptor_limit() -> nix::Result<usize> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(usize::try_from(hard).unwrap_or(usize::MAX))
}
