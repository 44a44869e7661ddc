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
use protocol::conclude;

pub use options::Options;
use options::{Command, ComparisonOptions};
use rounds::Plan;

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match &options.command {
        Some(Command::Serve { name, backlog }) => {
            conclude(name.serve(*backlog))
        }
        Some(Command::ServeExternal { command }) => become_external(command),
        Some(Command::Diff { before, after }) => diff(before, after),
        None => match options.comparison.plan() {
            Ok(plan) => compare(&plan, &options.comparison),
            Err(reason) => unusable(reason),
        },
    }
}

/// Unusable arguments: clap's words and exit status 2.
fn unusable(reason: String) -> ! {
    Options::command().error(ErrorKind::ArgumentConflict, reason).exit()
}

fn compare(plan: &Plan, options: &ComparisonOptions) -> ExitCode {
    raise_descriptor_limit();
    let interrupt = match Signals::new() {
        Ok(interrupt) => interrupt,
        Err(failure) => return conclude(Err(failure)),
    };
    let results = plan.run(&interrupt);
    print(&report::text(&results));
    if options.ratios {
        print(&format!("\n{}", report::ratios(&results)));
    }
    if let Some(folder) = &options.out {
        if let Err(error) = report::write(&results, folder) {
            return failed(&format!("{}: {error}", folder.display()));
        }
        print(&format!("\n{}\n", folder.join("report.html").display()));
    }
    if results.rows.iter().any(|row| row.failed) && !results.interrupted {
        return failed("not everything went well: see the notes");
    }
    ExitCode::SUCCESS
}

fn diff(before: &Path, after: &Path) -> ExitCode {
    let read = |path: &Path| {
        report::read(path).map_err(|e| format!("{}: {e}", path.display()))
    };
    match (read(before), read(after)) {
        (Ok(before), Ok(after)) => {
            print(&report::diff(&before, &after));
            ExitCode::SUCCESS
        }
        (Err(reason), _) | (_, Err(reason)) => failed(&reason),
    }
}

fn print(text: &str) {
    // A reader who has gone away is no failure of the measurement.
    let _ = write!(io::stdout(), "{text}");
}

fn failed(reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "[!] {reason}");
    ExitCode::FAILURE
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
fn become_external(command: &str) -> ExitCode {
    contestant::end_with_parent();
    let line = format!("exec env {command}");
    let error = process::Command::new("sh").args(["-c", &line]).exec();
    failed(&format!("sh: {error}"))
}
