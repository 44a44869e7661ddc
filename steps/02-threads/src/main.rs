//! `02-threads`: a ping-pong server with a thread per client.

use clap::Parser;

fn main() -> std::process::ExitCode {
    protocol::exit_code(threads::run(&threads::Options::parse()))
}
