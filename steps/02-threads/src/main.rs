//! `02-threads`: a ping-pong server with a thread per client.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let options = threads::Options::parse();
    protocol::exit_code(threads::run(&options))
}
