//! Every system call may fail: each, with each error of its man page.
//!
//! No test can wait for the day on which `accept` says ENOMEM. `strace` can
//! make it so: it stops the server at a call, lets the kernel make none, and
//! gives an error back (`man 1 strace`, "inject"). So a row of the matrix is a
//! call and an error, a column is how often it happens, and a trial is a server
//! with that fault, with clients that must not come to harm.
//!
//! | file | its one idea |
//! |---|---|
//! | `fault.rs` | a call, an error, and how often |
//! | `matrix.rs` | which calls each server makes, and what each may say |
//! | `manual.rs` | the errors of each call, from its man page |
//! | `tracer.rs` | a server that `strace` will trace once it is ready |
//! | `log.rs` | what `strace` wrote down |
//! | `load.rs` | clients that tell an ended connection from a wrong reply |
//! | `trial.rs` | a server, a fault, and what must hold after it |
//! | `table.rs` | what was tried and what happened, for the book |

mod fault;
mod load;
mod log;
mod manual;
mod matrix;
mod table;
mod tracer;
mod trial;

pub use fault::{Effect, Fault, Frequency};
pub use matrix::matrix;
pub use table::Table;
pub use trial::{Seen, run_trial};
