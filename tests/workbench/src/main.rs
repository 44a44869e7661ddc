//! # The workbench: a server of the reader's own
//!
//! `start` makes a folder with the smallest server, `mine` builds and checks
//! what has become of it, and `stage` shows what the book's own server adds at
//! a stage. Nothing is stored but the reader's files: how far they have come is
//! found out anew each time.
//!
//! | file | its one idea |
//! |---|---|
//! | `course.rs` | the steps that have stages, and where their files are |
//! | `language.rs` | how a server in each language is built and run |
//! | `start.rs` | a new folder; what was there is moved aside |
//! | `mine.rs` | build, check, and say what is next |
//! | `watch.rs` | wait until a source file has changed |
//! | `stage.rs` | what a stage adds, as a diff |
//! | `pages.rs` | what the book shows of the stages |

mod course;
mod language;
mod mine;
mod pages;
mod stage;
mod start;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use course::Step;
use language::Language;

/// A server of your own: begin it, check it, see what a stage adds
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// Where your servers are
    #[arg(long, global = true, default_value_os_t = course::mine())]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder in mine/ with the smallest server
    Start {
        /// The step that it follows: 01, 02 or 04
        step: Step,
        /// The language
        #[arg(long = "in", value_name = "LANGUAGE", default_value = "rust")]
        language: Language,
        /// Begin with the program of this stage (in Rust)
        #[arg(long, value_name = "N", default_value_t = 0)]
        at: usize,
    },
    /// Build and check the server in mine/, and say what is next
    Mine {
        /// Which one; without it, the one that was changed last
        step: Option<Step>,
        /// Do it again at every save, until Ctrl-C
        #[arg(long)]
        watch: bool,
        /// How long to wait for anything that the server should do
        #[arg(long, value_name = "SECONDS", default_value_t = 5)]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
        timeout: u64,
    },
    /// Show what a stage adds to the one before; without a number, list them
    Stage {
        /// The step: 01, 02 or 04
        step: Step,
        /// The stage
        number: Option<usize>,
    },
    /// Write anew what the book shows of the stages
    Pages,
}

/// An error is a line for stderr.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let Options { command, folder } = Options::parse();
    let result = match command {
        Command::Start { step, language, at } => {
            start::start(&folder, step, language, at).map(|()| true)
        }
        Command::Mine { step, watch, timeout } => {
            mine::run(&folder, step, watch, timeout)
        }
        Command::Stage { step, number } => {
            stage::show(step, number).map(|()| true)
        }
        Command::Pages => pages::write().map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "[!] {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. One that is not read is no error here.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
