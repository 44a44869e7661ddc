//! `just soak`: good and bad clients for as long as you like, and whether the
//! server keeps anything of them.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fmt::Display};

use clap::Parser;
use harness::steps;
use stress::soak::{LeakCheck, soak};

/// Keeps good and hostile clients on a server, and says what it holds when
/// they have left
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// For how long
    #[arg(value_parser = minutes)]
    minutes: Duration,

    /// Which server
    #[arg(default_value = "04-epoll")]
    #[arg(value_parser = [
        "02-threads", "04-epoll", "07-cores", "08-async", "09-uring",
    ])]
    step: String,

    /// Options of that server
    #[arg(last = true)]
    options: Vec<String>,
}

fn minutes(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(number * 60.0).map_err(|e| e.to_string())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let leak_check = match run(&options) {
        Ok(leak_check) => leak_check,
        Err(error) => return complain(&error),
    };
    // An error here is a reader of our stdout that has gone away.
    let _ = write!(io::stdout(), "{}, {leak_check}", options.step);
    for failure in leak_check.tally.failures.iter().take(10) {
        complain(failure);
    }
    if leak_check.is_good() {
        ExitCode::SUCCESS
    } else {
        complain(&"the server did not bear it")
    }
}

fn run(options: &Options) -> Result<LeakCheck, Box<dyn std::error::Error>> {
    // The folder of this program is that of the servers, too.
    let path = env::current_exe()?.with_file_name(&options.step);
    let args: Vec<_> = options.options.iter().map(String::as_str).collect();
    // glibc's `malloc` gives each of many threads an arena, and takes a quarter
    // of an hour until none grows any more. One shows a leak in two minutes.
    let launch = steps::launch(&path.to_string_lossy())
        .args(&args)
        .env("MALLOC_ARENA_MAX", "1");
    Ok(soak(&launch, options.minutes, progress)?)
}

fn progress(leak_check: &LeakCheck) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r{} replies", leak_check.tally.requests);
    }
}

fn complain(text: &impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "[!] {text}");
    ExitCode::FAILURE
}
