//! What is measured: the servers, each started in a process of its own,
//! watched, and ended whole.

pub(crate) mod affinity;
pub mod guard;
pub mod netstat;
pub mod proc;
pub(crate) mod process;
#[expect(clippy::module_inception, reason = "a target is what this is about")]
pub mod target;
pub(crate) mod usage;
