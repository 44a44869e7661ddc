//! The command line, and the list that it prints.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use protocol::{LimitOptions, ListenOptions};

use super::{ALL, FaultyServer};

/// Runs a server that makes one fault, for you to break
#[derive(Clone, Debug, Parser)]
#[command(name = "wrong", version)]
pub struct Options {
    /// Which server; without it, all of them and their mistakes are listed
    #[arg(value_name = "NAME", value_parser = by_name())]
    #[arg(hide_possible_values = true)]
    wrong: Option<&'static FaultyServer>,

    #[command(flatten)]
    pub(super) listen: ListenOptions,

    #[command(flatten)]
    pub(super) limits: LimitOptions,
}

fn by_name() -> impl TypedValueParser<Value = &'static FaultyServer> {
    PossibleValuesParser::new(ALL.iter().map(|wrong| wrong.name)).try_map(
        |name| {
            let found = ALL.iter().find(|wrong| wrong.name == name);
            found.ok_or("no such server")
        },
    )
}

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    let Some(wrong) = options.wrong else { return list() };
    match wrong.serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            // Not even stderr can be written: there is no other place.
            let _ = writeln!(io::stderr(), "{complaint}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> ExitCode {
    let mut text = String::from("Give the name of a server: wrong NAME\n\n");
    for FaultyServer { name, chapter, fault, .. } in &ALL {
        text += &format!("  {name:<36}{chapter:<17}{fault}\n");
    }
    // An error is a reader that has seen enough, as in `| head -1`.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
