//! Step 02 without Rust's runtime, for the sake of one experiment.
//!
//! Before `main` begins, the runtime installs a handler that reports a stack
//! overflow in words. A handler for that can't run on the stack that is full,
//! so each new thread first gets a stack for signals: `mmap`, `mprotect` and
//! `sigaltstack` at its start, `sigaltstack` and `munmap` at its end. For a
//! thread that answers one line that is a good part of its life.
//!
//! A program that begins at C's `main` does without. It also does without what
//! else the runtime does: SIGPIPE is not ignored here, a closed stdout is not
//! opened on /dev/null (the first socket would become stdout), and a thread
//! that overflows its stack ends the process without a word.
#![no_main]
#![expect(unsafe_code, reason = "the name `main` is the C library's")]

use std::ffi::c_int;

use clap::Parser;
use threads::Options;

// SAFETY: this is the one function of that name, with the type that C expects.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    match threads::run(&Options::parse()) {
        Ok(()) => 0,
        Err(error) => {
            protocol::Log::new(false).error(&error);
            1
        }
    }
}
