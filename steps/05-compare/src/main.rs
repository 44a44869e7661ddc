//! `05-compare`: the servers under the same load, and how they differ.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    compare::target::guard::run_if_asked()
        .unwrap_or_else(|| compare::run(&compare::Options::parse()))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 05-compare runs on Linux alone, which has epoll(7)");
    ExitCode::FAILURE
}
