//! # What a server must bear
//!
//! | folder | its one idea |
//! |---|---|
//! | `faults/` | every system call may fail: a matrix, and how each server bears it |
//! | `soak/` | hours of good and bad clients, and whether anything is left of them |

pub mod faults;
pub mod soak;
