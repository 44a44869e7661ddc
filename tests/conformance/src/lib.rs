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
