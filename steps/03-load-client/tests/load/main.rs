//! The load client against a real server (step 02) and against servers that
//! misbehave.
//!
//! The real server is this very program: `load serve …` runs step 02's library,
//! so that no stale binary can be tested.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod command;
mod failures;
mod figures;
mod runs;
mod servers;

use std::process::ExitCode;

use clap::Parser;
use libtest_mimic::{Arguments, Trial};

/// A test: its name, and what it does.
type Case = (&'static str, fn());

/// Names each function after itself.
#[macro_export]
macro_rules! cases {
    ($($case:ident),* $(,)?) => { &[$((stringify!($case), $case)),*] };
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|first| first == "serve") {
        let arguments = std::env::args().skip(1);
        let options = threads::Options::parse_from(arguments);
        return protocol::exit_code(threads::run(&options));
    }
    let trials = [runs::CASES, figures::CASES, failures::CASES]
        .concat()
        .into_iter()
        .map(|(name, case)| {
            Trial::test(name, move || {
                case();
                Ok(())
            })
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
