//! `just wrong`: the servers that make one mistake each, to be run and broken.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;

    faulty::run(&faulty::Options::parse())
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] the wrong servers run on Linux alone, which has epoll(7)");
    ExitCode::FAILURE
}
