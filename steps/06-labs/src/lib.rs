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
//! | `page.rs` | what a lab prints, for a reader and for a program |
//! | `plot.rs` | a picture, where it says more than a table |
//! | `network.rs` | a network of one's own, without root |
//! | `kernel.rs` | what the kernel counted meanwhile |
//! | `serve.rs` | the servers that this program can be |
//! | `server.rs` | one of them in a process of its own, watched and paused |
//! | `client.rs` | a client in a few lines |
//! | `watch.rs` | a descriptor in an event loop's set |
//! | `sender.rs` | the bytes of a file, sent in three ways |
//! | `resets.rs` | a server that counts the resets it is sent |
//! | `figures.rs` | medians and percentiles, and how to write a number |
//! | `options.rs`, `trouble.rs` | the command line; why there is no answer |
//!
//! What it cannot do: speak for other machines. Each lab takes its answer from
//! its own run, and another kernel may give another.
#![cfg(target_os = "linux")]

mod client;
mod figures;
mod kernel;
mod labs;
mod network;
mod options;
mod page;
mod plot;
mod resets;
mod sender;
mod serve;
mod server;
mod trouble;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use protocol::exit_code;

use labs::{LABS, Lab};
use network::Network;
use options::Command;
pub use options::Options;
use page::Page;
use trouble::Trouble;

/// Does what the command line asks for.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match (&options.command, options.lab) {
        (Some(Command::Serve(server)), _) => exit_code(server.serve()),
        (Some(Command::Load(load)), _) => load.make(),
        (Some(Command::TryNetwork), _) => network::try_out(),
        (None, Some(lab)) => answer(lab, options),
        (None, None) => list(),
    }
}

// ANCHOR: answer
fn answer(lab: &Lab, options: &Options) -> ExitCode {
    let mut page = Page::new(lab, options.json, options.out.as_deref());
    match experiment(lab, &mut page) {
        Ok(()) => page.close(),
        Err(Trouble::Forbidden(setting)) => page.skip(&setting),
        Err(Trouble::Failed(reason)) => {
            // If not even stderr can be written, there is nowhere left to say it.
            let _ = writeln!(io::stderr(), "[!] {}: {reason}", lab.name);
            ExitCode::FAILURE
        }
    }
}

/// A network of its own keeps the lab's figures clean, and takes with it what
/// the lab leaves there. Some labs can't do without.
fn experiment(lab: &Lab, page: &mut Page) -> Result<(), Trouble> {
    page.open();
    let entered = network::enter();
    page.record("own_network", entered.is_ok());
    match entered {
        Err(reason) if lab.network == Network::Own => {
            return Err(Trouble::Forbidden(reason));
        }
        Err(reason) => page.say(format!("(In everybody's network: {reason})")),
        Ok(()) => {}
    }
    (lab.run)(page)
}
// ANCHOR_END: answer

fn list() -> ExitCode {
    let mut text = String::from("Give the name of a lab: 06-labs NAME\n\n");
    for Lab { name, question, .. } in &LABS {
        text += &format!("  {name:<14}{question}\n");
    }
    page::print(&text)
}
