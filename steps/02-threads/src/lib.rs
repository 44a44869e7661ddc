//! # Step 02: a thread per client
//!
//! Step 01 makes the second client wait for the first. Here the main thread
//! only accepts, and each client has a thread of its own in which `recv` and
//! `send` may wait as long as they like. The conversation with a client is that
//! of step 01, unchanged.
//!
//! From here on the calls come from `nix`: the same names and arguments with
//! Rust's types, and no `unsafe` in our code.
//!
//! | file | its one idea |
//! |---|---|
//! | `acceptor.rs` | the main thread: accept, and hand over |
//! | `clients.rs` | who is being served, and how to reach them all |
//! | `doorbell.rs` | waking a thread that waits in `poll` |
//! | `signals.rs` | signals reach one thread, as ordinary values |
//! | `limits.rs` | how many clients a process may have |
//!
//! What it cannot do: serve ten thousand clients cheaply. Each costs a stack,
//! and the kernel switches between threads for every message. That is the
//! problem of step 04.

mod acceptor;
mod clients;
mod doorbell;
mod limits;
mod signals;

use std::sync::Arc;
use std::thread;

use blocking::{listen, local_address};
use clap::Parser;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::Shutdown;
use protocol::{Doing, Failure, LimitOptions, ListenOptions, Log, Message};

use acceptor::Acceptor;
use clients::Clients;
use doorbell::Doorbell;
pub use limits::connection_limit;
pub use signals::{Signal, watch};

/// A ping-pong server with a thread per client
#[derive(Clone, Debug, Parser)]
#[command(name = "02-threads", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
    /// How much to take on.
    #[command(flatten)]
    pub limits: LimitOptions,
}

/// Serves every client in a thread of its own until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps the server from starting: see [`blocking::listen`].
// ANCHOR: run
pub fn run(options: &Options) -> Result<(), Failure> {
    let mut log = Log::new(options.listen.quiet);
    let doorbell =
        Arc::new(Doorbell::new().map_err(|e| Doing::Signals.failed(e))?);
    // Before any other thread exists: they inherit the mask.
    let bell = Arc::clone(&doorbell);
    let signal = watch(move || bell.ring())?;

    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    // `poll` may wake us for a client that is gone before we `accept`.
    fcntl(&listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .map_err(|e| Doing::Option.failed(e))?;
    log.announce(Message::Listening(local_address(&listener)?));

    let clients = Clients::new(&doorbell);
    let acceptor = Acceptor::new(listener, &clients, &options.limits);
    // The scope ends when the threads in it have ended: it joins them.
    thread::scope(|scope| {
        let number = acceptor.run(scope, &signal, &mut log);
        log.announce(Message::Stopping(number));
        log.flush();
        farewell(&clients);
    });
    Ok(())
}

/// Lets every client have the replies to what it has sent, for a second.
fn farewell(clients: &Clients<'_>) {
    clients.shut_down(Shutdown::Read); // their `recv` returns 0
    if !clients.wait_until_gone() {
        clients.shut_down(Shutdown::Both); // their `send` fails
    }
}
// ANCHOR_END: run
