//! `06-labs`: one question, one small experiment, one answer.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser;
    compare::target::guard::run_if_asked()
        .unwrap_or_else(|| labs::run(&labs::Options::parse()))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("[!] 06-labs runs on Linux alone: it asks that kernel");
    ExitCode::FAILURE
}
