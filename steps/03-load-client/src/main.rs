//! `03-load-client`: the article's load test.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let options = load_client::Options::parse();
    load_client::run(&options)
        .unwrap_or_else(|error| protocol::exit_code(Err(error)))
}
