//! # Start a server, talk to it, watch it
//!
//! What all the tests are made of. Nothing in here knows how a server is built,
//! or what the protocol is.
//!
//! | file | its one idea |
//! |---|---|
//! | `launch.rs` | from a command line to a process |
//! | `listening.rs` | where a server listens; or why it does not |
//! | `port.rs` | a port for a server that cannot choose one itself |
//! | `process.rs` | a process of ours: signals, deadlines, nothing left running |
//! | `group.rs` | a process group that ends when we do, however we end |
//! | `output.rs` | read what a process prints, and never hold it up |
//! | `server.rs` | a server: where it is, and its process if it is ours |
//! | `steps.rs` | the servers of this workspace, in each of their modes |
//! | `client.rs` | a peer that remembers what it sent, and says what came |
//! | `receive.rs` | reading up to a deadline, and why no more came |
//! | `bulk.rs` | more than the buffers between two programs hold |
//! | `delivery.rs` | whether what was sent has arrived, and whether it was read |
//! | `endless_sender.rs` | a client whose bytes never end |
//! | `non_reading_clients.rs` | many clients at once that send and never read |
//! | `pipelining_client.rs` | a client with a thread of its own, and a window |
//! | `proc/` | what Linux says about a process and its sockets |
//! | `resources.rs` | what a server holds for its clients |
//! | `scheduling.rs` | to stop a process for certain |
//! | `shutdown.rs` | the end of a server after a signal |
//! | `stderr.rs` | what a server said of its failure, without the backtrace |
//! | `urgent.rs` | urgent data behind a byte that has not arrived |
//! | `namespace.rs` | a program where the system has less than it should |
//! | `strace.rs` | whether system calls can be made to fail |
//! | `limits.rs` | descriptors for thousands of clients |
//! | `deadline.rs` | waiting for a condition, up to a deadline |
//! | `error.rs` | what was sent, what was expected, what came |
//! | `excerpt.rs` | bytes as the reader of a failed test wants to see them |

mod bulk;
mod client;
mod deadline;
mod delivery;
mod endless_sender;
mod error;
mod excerpt;
mod group;
mod launch;
mod limits;
mod listening;
pub mod namespace;
mod non_reading_clients;
mod output;
mod pipelining_client;
mod port;
mod proc;
mod process;
mod receive;
mod resources;
mod scheduling;
mod server;
mod shutdown;
mod stderr;
pub mod steps;
mod strace;
mod urgent;

pub use client::Client;
pub use deadline::{
    Deadline, SHUTDOWN_TIMEOUT, TIMEOUT, eventually, poll_until,
};
pub use endless_sender::{EndlessSender, FLOWING};
pub use error::{CaseError, CaseResult};
pub use excerpt::shown;
pub use launch::{Launch, StdoutReader, blocking_signals_unavailable};
pub use limits::{room_for, too_few_for};
pub use nix::sys::signal::Signal;
pub use non_reading_clients::NonReadingClients;
pub use output::Output;
pub use pipelining_client::PipeliningClient;
pub use proc::{Proc, nothing_on_the_way_to, proc_unavailable};
pub use process::Process;
pub use receive::{ReadEnd, Received};
pub use resources::Resources;
pub use server::Server;
pub use strace::strace_unavailable;

/// Why no urgent data can be sent behind a gap, if it cannot.
#[must_use]
pub fn urgent_gap_unavailable() -> Option<String> {
    #[cfg(target_os = "linux")]
    return urgent::unavailable();
    #[cfg(not(target_os = "linux"))]
    return Some("needs Linux, whose raw sockets send TCP".into());
}

/// Whether a tool that is missing is a failure, and not a reason to skip.
#[must_use]
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
