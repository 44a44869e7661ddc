//! `04-epoll`: a ping-pong server with one thread for all clients.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    let options = epoll::Options::parse();
    protocol::exit_code(epoll::run(&options))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 04-epoll runs on Linux alone, which has epoll(7)");
    ExitCode::FAILURE
}
