//! `just faults`: every call of every server fails with every error of its man
//! page; what was tried, and what happened.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::{env, fs, thread};

use clap::Parser;
use harness::steps::{Target, targets};
use harness::strace_unavailable;
use stress::faults::{Fault, Seen, Table, matrix, run_trial};

/// Lets each system call of the servers fail in every way that its man page
/// allows, and says how they bore it
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Only servers whose names begin so
    #[arg(default_value = "")]
    server: String,

    /// Only this system call
    #[arg(long)]
    call: Option<String>,

    /// Write the table, as Markdown, to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Trials at the same time; most wait more than they work
    #[arg(long, default_value_t = 6)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

type Trial = (&'static Target, Fault);

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(reason) = strace_unavailable() {
        return complain(&reason);
    }
    let trials = options.trials();
    if trials.is_empty() {
        return complain("no server, or no call, of that name");
    }
    match tried(&options, &trials) {
        Ok(table) => report(&options, &table)
            .unwrap_or_else(|error| complain(&error.to_string())),
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "[!] {text}");
    ExitCode::FAILURE
}

impl Options {
    fn trials(&self) -> Vec<Trial> {
        let wanted = |fault: &Fault| {
            self.call.as_ref().is_none_or(|call| call == fault.call)
        };
        targets(&self.server)
            .flat_map(|target| matrix(target).map(move |fault| (target, fault)))
            .filter(|(_, fault)| wanted(fault))
            .collect()
    }
}

/// Runs all trials, several at a time.
fn tried(options: &Options, trials: &[Trial]) -> io::Result<Table> {
    // The folder of this program is that of the servers, too.
    let folder = env::current_exe()?.with_file_name("");
    let waiting = Mutex::new(trials.iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((number, (target, fault))) = next() {
            let path = folder.join(target.name);
            let outcome = run_trial(target, &path.to_string_lossy(), fault);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.insert(number, outcome);
            progress(done.len(), trials.len());
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(work);
        }
    });
    let mut table = Table::default();
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (number, outcome) in done {
        let (target, fault) = trials[number];
        table.add(target, fault, outcome);
    }
    Ok(table)
}

fn progress(done: usize, all: usize) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let end = if done == all { "\n" } else { "" };
        let _ = write!(stderr, "\r{done} of {all} trials{end}");
    }
}

fn report(options: &Options, table: &Table) -> io::Result<ExitCode> {
    match &options.out {
        Some(path) => fs::write(path, table.to_string())?,
        None => write!(io::stdout(), "{table}")?,
    }
    let mut failed = 0;
    for (target, fault, failure) in table.failures() {
        failed += 1;
        writeln!(io::stderr(), "[!] {} {} {fault}", target.name, target.mode)?;
        writeln!(io::stderr(), "{failure}")?;
    }
    let all = table.trials();
    let Seen { errors, served, ended } = table.seen();
    writeln!(
        io::stdout(),
        "{all} trials, {failed} failed: {errors} errors, {served} right \
         replies, {ended} connections ended"
    )?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
