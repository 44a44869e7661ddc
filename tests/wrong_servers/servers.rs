//! All servers of these tests: to be tested, or to be run.

use std::env;
use std::process::ExitCode;

use clap::Parser;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::base::{self, Options, Server};
use crate::wrong::Wrong;
use crate::{errors, framing, readiness, sending};

/// The server beside the wrong ones: nothing is replaced.
pub(crate) struct Right;

impl Server for Right {}

/// The same, level-triggered.
struct RightLevel;

impl Server for RightLevel {
    fn edge_triggered(&self) -> bool {
        false
    }
}

const RIGHT: &[Wrong] = &[
    Wrong::new("right", &Right, &[]),
    Wrong::new("right_level_triggered", &RightLevel, &[]),
];

fn all() -> impl Iterator<Item = &'static Wrong> {
    [
        RIGHT,
        framing::SERVERS,
        readiness::SERVERS,
        sending::SERVERS,
        errors::SERVERS,
    ]
    .into_iter()
    .flatten()
}

/// One test for each server.
pub(crate) fn test_all() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most cases wait more than they work.
    arguments.test_threads.get_or_insert(6);
    let trials = all().map(|wrong| {
        Trial::test(wrong.name, || wrong.judge().map_err(Failed::from))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// `serve NAME [OPTIONS]`: this process is that server.
pub(crate) fn serve(name: &str) -> ExitCode {
    let Some(wrong) = all().find(|wrong| wrong.name == name) else {
        eprintln!("[!] no server {name}");
        return ExitCode::from(2);
    };
    let options = Options::parse_from(env::args().skip(2));
    match base::run(wrong.server, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("[!] {error}");
            ExitCode::FAILURE
        }
    }
}
