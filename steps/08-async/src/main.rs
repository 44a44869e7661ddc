//! `08-async`: a ping-pong server on an async runtime of its own.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    let options = async_server::Options::parse();
    protocol::exit_code(async_server::run(&options))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 08-async runs on Linux alone, which has epoll(7)");
    ExitCode::FAILURE
}
