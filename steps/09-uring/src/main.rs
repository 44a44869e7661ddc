//! `09-uring`: a ping-pong server on completions.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    let options = uring::Options::parse();
    protocol::exit_code(uring::run(&options))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 09-uring runs on Linux alone, which has io_uring(7)");
    ExitCode::FAILURE
}
