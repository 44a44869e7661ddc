//! The suite is itself tested: wrong servers, and the cases that catch them.
//!
//! Each is the right server with one decision made as it is made in tutorials,
//! and for each stands here exactly which cases it fails. A case that no wrong
//! server fails may be worth nothing; a wrong server that passes says that a
//! case is missing.
//!
//! | file | its one idea |
//! |---|---|
//! | `base/mod.rs` | the right server, and every decision that it makes |
//! | `base/event_loop.rs` | one thread, one `epoll` |
//! | `base/turns.rs` | what one event leads to |
//! | `base/connection.rs` | one client, and how far we are with it |
//! | `servers.rs` | all of them, to be tested or to be run |
//! | `wrong.rs` | a server, and the cases that it must fail |
//! | `framing.rs` | wrong: where a message ends |
//! | `readiness.rs` | wrong: what an event says, and when it comes again |
//! | `sending.rs` | wrong: replies that the kernel does not take at once |
//! | `errors.rs` | wrong: what a system call says when it fails |
//!
//! The servers run in this very program, started with `serve NAME`: so they can
//! never be out of date.

#[cfg(target_os = "linux")]
mod base;
#[cfg(target_os = "linux")]
mod errors;
#[cfg(target_os = "linux")]
mod framing;
#[cfg(target_os = "linux")]
mod readiness;
#[cfg(target_os = "linux")]
mod sending;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod wrong;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().is_some_and(|arg| arg == "serve") {
        servers::serve(&args.next().unwrap_or_default())
    } else {
        servers::test_all()
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: the wrong servers need Linux, which has epoll(7)");
}
