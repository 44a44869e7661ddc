//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::labs::{LABS, Lab};
use crate::servers::Serve;

/// Answers a question about sockets by an experiment of a few seconds
#[derive(Debug, Parser)]
#[command(name = "06-labs", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// The lab to run; without it, the labs and their questions are listed
    #[arg(value_name = "NAME", value_parser = lab_parser())]
    pub(crate) lab: Option<&'static Lab>,

    /// Print what was seen as one JSON object instead of text
    #[arg(long, requires = "lab")]
    pub(crate) json: bool,

    /// Write a plot into this folder too, where the lab has one (SVG)
    #[arg(long, value_name = "DIR", requires = "lab")]
    pub(crate) out: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the program runs itself for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be a server
    #[command(hide = true)]
    Serve(Serve),
    /// Be step 03's load client
    #[command(hide = true)]
    Load(load_client::Options),
    /// Find out whether this system lets us have a network of our own
    #[command(hide = true)]
    TryNetwork,
}

fn lab_parser() -> impl TypedValueParser<Value = &'static Lab> {
    PossibleValuesParser::new(LABS.iter().map(|lab| lab.name)).try_map(|name| {
        LABS.iter().find(|lab| lab.name == name).ok_or("no such lab")
    })
}
