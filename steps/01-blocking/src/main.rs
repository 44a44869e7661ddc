//! `01-blocking`: a ping-pong server for one client at a time.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let options = blocking::Options::parse();
    protocol::exit_code(blocking::run(&options))
}
