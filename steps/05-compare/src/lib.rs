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
//! | `driver/` | thousands of users in one event loop |
//! | `meter.rs` | CPU time, memory and threads of another process |
//! | `kernel.rs` | what the kernel counted meanwhile |
//! | `rounds.rs` | every server takes its turn, again and again |
//! | `figures.rs` | the figures of one measurement |
//! | `statistics.rs` | figures from several rounds |
//! | `report/` | what it prints |
//! | `interrupt.rs` | Ctrl-C as one more descriptor |
//!
//! The driver is the event loop of step 04, from the client's side.
#![cfg(target_os = "linux")]

mod contestant;
mod driver;
mod figures;
mod interrupt;
mod kernel;
mod meter;
mod options;
mod report;
mod rounds;
mod scenario;
mod schedule;
mod server;
mod statistics;
mod trouble;

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};

use clap::CommandFactory;
use clap::error::ErrorKind;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::{Failure, conclude};

use interrupt::Interrupt;
use options::Command;
pub use options::Options;
use rounds::{Plan, Results, Row};

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match &options.command {
        Some(Command::Serve { name, backlog }) => {
            conclude(name.serve(*backlog))
        }
        Some(Command::ServeExternal { command }) => become_external(command),
        None => match options.comparison.plan() {
            Ok(plan) => compare(&plan).unwrap_or_else(|e| conclude(Err(e))),
            Err(reason) => unusable(reason),
        },
    }
}

/// Unusable arguments: clap's words and exit status 2.
fn unusable(reason: String) -> ! {
    Options::command().error(ErrorKind::ArgumentConflict, reason).exit()
}

fn compare(plan: &Plan) -> Result<ExitCode, Failure> {
    raise_descriptor_limit();
    let interrupt = Interrupt::new()?;
    let results = plan.run(&interrupt);
    // A reader who has gone away is no failure of the measurement.
    let _ = write!(io::stdout(), "{}", report::table(plan, &results));
    Ok(verdict(&results))
}

/// 1 where something failed, unless the user wanted no more.
fn verdict(results: &Results) -> ExitCode {
    let failed = results.rows.iter().any(Row::has_failed);
    if failed && !results.interrupted {
        eprintln!("[!] not everything went well: see the notes");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
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
    eprintln!("[!] sh: {error}");
    ExitCode::FAILURE
}
