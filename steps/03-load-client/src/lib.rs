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
//! | `run.rs` | closed loop and open loop: when a request is due |
//! | `workers.rs` | the threads, and the main thread that supervises them |
//! | `deadline.rs` | a deadline without a system call |
//! | `stats.rs` | outcomes: latencies, and failures by kind |
//! | `latency.rs` | a histogram, and percentiles from it |
//! | `error_kind.rs` | what can go wrong, and what to do about it |
//! | `report.rs` | the results, for a reader and for a program |
//! | `options.rs` | the command line |
//!
//! What it cannot do: keep a thousand requests in flight without a thousand
//! threads. Step 05 measures with a client that can, once step 04 has shown
//! how.

mod deadline;
mod error_kind;
mod latency;
mod options;
mod report;
mod request;
mod run;
mod stats;
#[cfg(test)]
#[path = "../tests/unit/mod.rs"]
mod unit;
mod workers;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use blocking::reset_inherited;
use indicatif::ProgressBar;
use protocol::{Call, Language, Result, ResultExt};
use threads::spawn_signal_thread;

pub use error_kind::ErrorKind;
pub use latency::{Latency, histogram, nanoseconds};
pub use options::Options;
pub use report::print;
pub use stats::waited_for_core;

use report::Report;
use run::Run;
use workers::run_workers;

/// Makes all requests and prints the results. The status is 0 if none failed.
///
/// # Errors
/// Whatever keeps the run from starting: a thread that can't be created.
pub fn run(options: &Options) -> Result<ExitCode> {
    let language = Language::from_environment();
    if !options.json {
        // Where this can't be printed the results can't either: see below.
        let _ = print(&report::heading(options, language));
    }
    let report = measure(options)?;
    let text =
        if options.json { report.to_json() } else { report.to_text(language) };
    let mut errors = Vec::from_iter(report.error_summary(language));
    if let Err(error) = print(&text) {
        let what = language
            .pick("結果を出力できません", "the results could not be printed");
        errors.insert(0, format!("[!] {what}: {error}"));
    }
    for error in &errors {
        // Where stderr cannot be written either, the status is all there is.
        let _ = writeln!(io::stderr(), "{error}");
    }
    Ok(ExitCode::from(u8::from(!errors.is_empty())))
}

/// Makes all requests. Prints nothing but a progress bar, on a terminal.
///
/// From here on this process takes SIGINT and SIGTERM as the request to end
/// the run early.
fn measure(options: &Options) -> Result<Report> {
    // A timer of the parent would end the run: timers survive `execve`.
    reset_inherited().context(Call::Signals)?;
    let cancelled = Arc::new(OnceLock::new());
    let shared = Arc::clone(&cancelled);
    // No thread has to be woken: the main thread checks every few milliseconds.
    spawn_signal_thread(move |signal| {
        let _ = shared.set(Some(signal));
    })?;
    // Linux may end a sleep 50 us late, to wake several threads at once. What
    // is due is not to wait for that; threads inherit it, and where it fails
    // the client is late and says so. `man 2 prctl`, `PR_SET_TIMERSLACK`.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
    // On stderr. Where that is no terminal there is none.
    let progress = ProgressBar::new(options.total);
    let run = Run { options, start: Instant::now(), cancelled };
    let stats = run_workers(&run, &progress);
    // Leaves the terminal's line to what is printed next.
    progress.finish_and_clear();
    Ok(Report::new(&run, &stats?))
}
