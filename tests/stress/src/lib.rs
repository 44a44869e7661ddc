//! # What a server must bear
//!
//! | folder | its one idea |
//! |---|---|
//! | `faults/` | every system call may fail: a matrix, and how each server bears it |
//! | `soak/` | hours of good and bad clients, and whether anything is left of them |
//!
//! # To add a row of the fault matrix
//!
//! 1. If its errors are not in `faults/manual.rs` yet, add them, from the call's
//!    man page, without those that only a wrong program meets.
//! 2. In `faults/matrix.rs`, add a `row` (or a `rare` one, for a call that a
//!    thread makes once) to the list of the servers that make the call: its name
//!    as `strace` knows it, its errors, and what clients may notice of them.
//! 3. `just faults 04-epoll --call NAME` tries it. A trial in which the call was
//!    never made is a failure: give the server an option that makes it call.
//!
//! # To add a client to the soak
//!
//! In `soak/workloads.rs`, write one visit of it, and add it to `WORKLOADS`.

pub mod faults;
pub mod soak;
