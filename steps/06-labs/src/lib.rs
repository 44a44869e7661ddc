//! # Step 06: the labs
//!
//! The servers are written and compared. What is left are the things that
//! people tell each other about sockets: that a backlog of 5 is enough, that
//! `SO_REUSEADDR` helps a client that runs out of ports, that `sendfile` is
//! fast. Each becomes a question here, with a small experiment that answers it
//! on the reader's own machine, and a test that holds it to its claim.
//!
//! | file | its one idea |
//! |---|---|
//! | `labs/` | one file a question: the naive way and the remedy |
//! | `report.rs` | what a lab prints, for a reader and for a program |
//! | `network.rs` | a network of one's own, without root |
//! | `servers/` | the servers that this program can be, the wrong ones too |
//! | `server.rs` | one of them in a process of its own, watched and paused |
//! | `client.rs` | a client in a few lines |
//! | `sender.rs` | the bytes of a file, sent in three ways |
//! | `resets.rs` | a server that counts the resets it is sent |
//! | `figures.rs` | medians and percentiles, and how to write a number |
//! | `options.rs` | the command line |
//!
//! How a server is started and ended, what `/proc` says and the kernel counts,
//! aligned tables and pictures are those of step 05.
//!
//! What it cannot do: speak for other machines. Each lab takes its answer from
//! its own run, and another kernel may give another.
#![cfg(target_os = "linux")]

mod client;
mod figures;
mod labs;
mod network;
mod options;
mod report;
mod resets;
mod sender;
mod server;
mod servers;

use std::process::ExitCode;

use protocol::{Language, exit_code};

use labs::{LABS, Lab};
use options::Command;
pub use options::Options;
use report::Report;

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match (&options.command, options.lab) {
        (Some(Command::Serve(server)), _) => exit_code(server.serve()),
        (Some(Command::Load(load)), _) => {
            load_client::run(load).unwrap_or_else(|error| exit_code(Err(error)))
        }
        (Some(Command::TryNetwork), _) => network::probe(),
        (None, Some(lab)) => answer(lab, options),
        (None, None) => list(),
    }
}

fn answer(lab: &Lab, options: &Options) -> ExitCode {
    let mut report = Report::new(lab.name, &question(lab), options);
    if let Err(reason) = compare::target::proc::available() {
        return report.fail(&reason);
    }
    // A network of its own keeps the lab's figures clean, and takes with it
    // what the lab leaves there. Some labs can't do without.
    let entered = network::enter().map_err(|error| format!("{error:#}"));
    report.record("own_network", entered.is_ok());
    match entered {
        Err(setting) if lab.needs_own_network => return report.skip(&setting),
        Err(setting) => {
            report.line(format!("(In no network of its own: {setting})"));
        }
        Ok(()) => {}
    }
    match (lab.run)(&mut report) {
        Ok(()) => report.close(),
        Err(error) => {
            report.fail(format!("{error:#}").trim_start_matches("[!] "))
        }
    }
}

fn list() -> ExitCode {
    let mut text = String::from("Give the name of a lab: 06-labs NAME\n\n");
    for lab in &LABS {
        text += &format!("  {:<14}{}\n", lab.name, question(lab));
    }
    report::print(&text)
}

/// A lab's question; in Japanese with the article's name for it, where it is
/// one of the article's four optimisations.
fn question(lab: &Lab) -> String {
    let article = Language::from_environment().pick(lab.article, "");
    format!("{}{article}", lab.question)
}
