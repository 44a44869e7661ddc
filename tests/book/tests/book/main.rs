//! The tests of the book: what it shows is what the code says and does.
//!
//! Two kinds. The pages are read and checked: every include, link, command and
//! option is one that exists. The terminal sessions are played again, with the
//! code as it is now, and compared with what the pages show.
//!
//! The servers in those sessions are this very program, started under their
//! names: so they can never be out of date.

mod checks;
mod commands;
mod errors;
mod faulty_servers;
mod glossary;
mod includes;
mod links;
mod listings;
mod pages;
mod patches;
#[path = "../../../suites/programs.rs"]
mod programs;
mod sessions;
mod shape;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use libtest_mimic::{Arguments, Failed, Trial};
use programs::{Program, SERVERS};

/// The programs that this one can be besides, by the name it was started with.
const OTHERS: [Program; 6] = [
    ("03-load-client", || {
        load_client::run(&load_client::Options::parse())
            .unwrap_or_else(|failure| protocol::exit_code(Err(failure)))
    }),
    ("07-cores", || protocol::exit_code(cores::run(&cores::Options::parse()))),
    ("08-async", || {
        protocol::exit_code(async_server::run(&async_server::Options::parse()))
    }),
    ("09-uring", || protocol::exit_code(uring::run(&uring::Options::parse()))),
    ("06-labs", || labs::run(&labs::Options::parse())),
    (
        "check",
        || conformance::check::run(&conformance::check::Options::parse()),
    ),
];

fn main() -> ExitCode {
    programs::run(&[&SERVERS[..], &OTHERS].concat(), test_all)
}

fn test_all(folder: &Path) -> io::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let pages = pages::Pages::read(&book::book().join("src"))?;
    let mut trials: Vec<Trial> = checks::ALL
        .iter()
        .map(|&(name, check)| {
            let pages = pages.clone();
            Trial::test(name, move || verdict(check(&pages)))
        })
        .collect();
    for session in book::Session::all()? {
        let (folder, pages) = (folder.to_owned(), pages.clone());
        let name = format!("session_{}", session.name.replace('-', "_"));
        trials.push(Trial::test(name, move || {
            verdict(sessions::plays_as_recorded(&session, &folder, &pages))
        }));
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn verdict(problems: Vec<String>) -> Result<(), Failed> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failed::from(problems.join("\n")))
    }
}
