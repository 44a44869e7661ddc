//! `07-cores`: a ping-pong server with an event loop for each core.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    let options = cores::Options::parse();
    protocol::exit_code(cores::run(&options))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 07-cores runs on Linux alone, which has epoll(7)");
    ExitCode::FAILURE
}
