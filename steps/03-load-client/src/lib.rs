//! # Step 03: the article's load test
//!
//! Two servers, and which is the better one? `nc` can't tell. This step is the
//! other end of the connection: a client that sends `ping` ten thousand times
//! from ten threads, over a new connection each time, and says how long that
//! took, in the article's words. It checks each reply, drops no request, and
//! shows the latencies that an average hides.
//!
//! | file | its one idea |
//! |---|---|
//! | `request.rs` | a client's calls: `socket`, `connect`, `send`, `recv` |
//! | `worker.rs` | one thread's share of the requests |
//! | `schedule.rs` | closed loop and open loop: when a request is due |
//! | `in_flight.rs` | a deadline without a system call |
//! | `crew.rs` | all threads, and the main thread that watches over them |
//! | `tally.rs` | latencies in a histogram, failures by kind |
//! | `problem.rs` | what can go wrong, and what to do about it |
//! | `report.rs`, `json.rs` | the results, for a reader and for a program |
//! | `options.rs`, `stop.rs`, `progress.rs` | command line, Ctrl-C, bar |
//!
//! What it cannot do: keep a thousand requests in flight without a thousand
//! threads. Step 05 measures with a client that can, once step 04 has shown
//! how.

mod crew;
mod in_flight;
mod json;
mod options;
mod problem;
mod progress;
mod report;
mod request;
mod schedule;
mod stop;
mod tally;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use protocol::{Failure, Language, print};

pub use options::Options;
pub use problem::Problem;
pub use report::Report;
pub use tally::{Latency, Tally};

use progress::Progress;
use request::Server;
use schedule::Schedule;
use stop::Stop;
use worker::Job;

/// Makes all requests and prints the results. The status is 0 if none failed.
///
/// # Errors
/// Whatever keeps the run from starting: a thread that can't be created.
// ANCHOR: run
pub fn run(options: &Options) -> Result<ExitCode, Failure> {
    let language = Language::from_environment();
    if !options.json {
        let workers = options.workers();
        // Where this can't be printed the results can't either: see below.
        let _ = print(&report::heading(options.total, workers, language));
    }
    let report = measure(options)?;
    let text = if options.json {
        report.to_json()
    } else {
        report.in_language(language).to_string()
    };
    let lost = print(&text).err().map(|error| {
        let what = language
            .pick("結果を出力できません", "the results could not be printed");
        format!("[!] {what}: {error}")
    });
    let complaints = [lost, report.complaint(language)];
    Ok(complain(complaints.into_iter().flatten()))
}
// ANCHOR_END: run

/// Makes all requests. Prints nothing but a progress bar, on a terminal.
///
/// From here on this process takes SIGINT and SIGTERM as the request to end
/// the run early.
///
/// # Errors
/// As [`run`].
// ANCHOR: measure
pub fn measure(options: &Options) -> Result<Report, Failure> {
    let stop = Stop::on_signal()?;
    let progress = Progress::of(options.total);
    // `Instant` never goes back. The article's `gettimeofday` does, whenever
    // somebody sets the clock.
    let start = Instant::now();
    let schedule = Schedule {
        total: options.total,
        workers: options.workers(),
        start,
        rate: options.rate,
    };
    let job = Job {
        server: Server::at(options.address()),
        schedule,
        keep_alive: options.keep_alive,
        timeout: options.timeout,
        stop: &stop,
    };
    let tallies = crew::work(&job, &progress)?;
    let elapsed = start.elapsed();
    let mut tally = Tally::default();
    tallies.iter().for_each(|one| tally.add(one));
    let (server, total) = (options.address(), options.total);
    Ok(Report { server, total, elapsed, signal: stop.signal(), tally })
}
// ANCHOR_END: measure

/// Prints each complaint on stderr. The status is 0 where there is none.
fn complain(complaints: impl Iterator<Item = String>) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for complaint in complaints {
        // If not even stderr can be written, there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{complaint}");
        status = ExitCode::FAILURE;
    }
    status
}
