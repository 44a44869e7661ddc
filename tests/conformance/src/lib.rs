//! # What every server must do
//!
//! The suite knows nothing of how a server is built. It starts one, talks to it
//! as a client would, does to it what peers and kernels do, and says what came
//! of it. So it tests steps 01, 02 and 04 alike, and yours.
//!
//! | file | its one idea |
//! |---|---|
//! | `case.rs` | one case: what it is called, what it needs, what explains it |
//! | `server_under_test.rs` | the server, and what it can do |
//! | `cases/` | the cases, in three groups |
//! | `stages.rs` | the order in which a server comes to pass the cases |
//! | `runner.rs` | run cases side by side, the stage that a server is at first |
//! | `report.rs` | a line for each case, the stages, and what is next |
//! | `check.rs` | the suite as a command, for any server in any language |
//!
//! # To add a case
//!
//! 1. Write it in the file of `cases/` that it belongs to: a function that takes
//!    a `&Server`, talks to it through [`harness::Client`], and says in a
//!    [`harness::CaseError`] what was sent, what was expected and what came. Its
//!    name is a sentence whose subject is the server. Above it stands what a
//!    server does that fails it.
//! 2. Add it to that file's `CASES`, with the chapter that explains it and what
//!    it cannot do without ([`Requirement`]). Where the server needs options, a
//!    limit or another reader of its stdout, say so there.
//! 3. Give it a stage in `stages.rs`, and one sentence on why it matters.
//! 4. Let a wrong server of `tests/faulty` fail it: add its name to that server's
//!    list. If none fails it, write one.
//!
//! It must wait for conditions, with a deadline, and never for a time; and it must
//! ask no more than a server in any language can do: `cargo test -p conformance`
//! runs all cases on servers in Python and in Node.

mod case;
mod cases;
pub mod check;
pub mod report;
mod runner;
mod server_under_test;
mod stages;

pub use case::{Case, Chapter, Group, LaunchOptions, Requirement, Verdict};
pub use cases::all_cases;
pub use runner::{Planned, Runner};
pub use server_under_test::ServerUnderTest;
pub use stages::{STAGES, Stage};
