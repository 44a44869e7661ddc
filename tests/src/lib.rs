//! # What every server must do, and how to find out
//!
//! The suite in here knows nothing of how a server is built. It starts one,
//! talks to it as a client would, does to it what peers and kernels do, and
//! says what came of it. So it tests steps 01, 02 and 04 alike, and yours.
//!
//! | file | its one idea |
//! |---|---|
//! | `client.rs` | a peer that remembers what it sent, and says what came |
//! | `receive.rs` | reading up to a deadline, and why no more came |
//! | `bulk.rs` | more than the buffers between two programs hold |
//! | `delivery.rs` | whether what was sent has arrived, and whether it was read |
//! | `hose.rs` | a client whose bytes never end |
//! | `flood.rs` | many clients at once that send and never read |
//! | `talker.rs` | a client with a thread of its own, which never stops asking |
//! | `output.rs` | read what a process prints, and never hold it up |
//! | `process.rs` | a child process: signals, deadlines, no orphan |
//! | `inspect.rs` | what Linux tells about a process: `/proc` |
//! | `scheduling.rs` | stop a process, and see whether it wants to run |
//! | `launch.rs` | from a command line to a server that listens |
//! | `server.rs` | a server to test: where it is, and its process if it is ours |
//! | `subject.rs` | whom the suite tests, and what it can do |
//! | `case.rs` | one case: what it is called, what it needs, what explains it |
//! | `cases/` | the cases, in three groups |
//! | `steps.rs` | the servers of this workspace as subjects |
//! | `limits.rs` | descriptors for thousands of clients |
//! | `failure.rs` | what was sent, what was expected, what came |
//! | `excerpt.rs` | bytes as the reader of a failed test wants to see them |
//! | `faults/` | every system call may fail: a matrix, and how each server bears it |
//! | `soak/` | hours of good and bad clients, and whether anything is left of them |
//! | `wrong/` | servers that make one mistake each, and the cases that catch it |
//! | `deadline.rs` | waiting for a condition, but not for ever |
//! | `bin/check.rs` | the suite as a command, for any server in any language |
//! | `bin/wrong.rs` | a wrong server as a command, for a reader to break |
//! | `bin/faults.rs`, `bin/soak.rs` | the matrix and the hours as commands |
//! | `bin/record.rs` | plays the book's terminal sessions, and writes them down |

mod bulk;
mod case;
mod cases;
mod client;
mod deadline;
mod delivery;
mod excerpt;
mod failure;
pub mod faults;
mod flood;
mod hose;
mod inspect;
mod launch;
mod limits;
mod output;
mod process;
mod receive;
mod scheduling;
mod server;
pub mod soak;
pub mod steps;
mod subject;
mod talker;
#[cfg(target_os = "linux")]
pub mod wrong;

pub use case::{Case, Chapter, Group, Need, Setting, Verdict};
pub use cases::all_cases;
pub use client::Client;
pub use deadline::{Deadline, eventually};
pub use excerpt::shown;
pub use failure::{Failure, Outcome};
pub use flood::Flood;
pub use hose::Hose;
pub use inspect::Proc;
pub use launch::{Launch, Reader};
pub use limits::room_for;
pub use nix::sys::signal::Signal;
pub use output::Output;
pub use process::Process;
pub use server::Server;
pub use subject::Subject;
pub use talker::Talker;

/// Whether a tool that is missing is a failure, and not a reason to skip.
#[must_use]
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
