//! `just check`: the conformance suite for any server, in any language.

use std::process::ExitCode;

use clap::Parser;
use conformance::check::{Options, run};

fn main() -> ExitCode {
    run(&Options::parse())
}
