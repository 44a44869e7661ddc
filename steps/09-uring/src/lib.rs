//! # Step 09: ask for the operation, not for readiness
//!
//! Step 04 asks which sockets are ready and then makes a call for each. Here
//! the kernel is told what to do (accept, receive, send) and says when it is
//! done: one call, `io_uring_enter`, for all clients and all that they want.
//!
//! | file | its one idea |
//! |---|---|
//! | `ring.rs` | two rings that we share with the kernel |
//! | `operation.rs` | an operation owns what the kernel works on meanwhile |
//! | `buffers.rs` | a ring of buffers to receive into, for all clients |
//! | `connection.rs` | a connection on completions, with the session of step 04 |
//! | `listener.rs` | the listener, and whether to accept now |
//! | `server.rs` | one turn after the other, until all is done |
//!
//! What it cannot do: run where `io_uring` is forbidden, as in most containers.
#![cfg(target_os = "linux")]

mod buffers;
mod connection;
mod listener;
mod operation;
mod ring;
mod server;

use blocking::{listen, local_address, reset_inherited};
use clap::Parser;
use epoll::Signals;
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

use ring::Ring;
use server::Server;

/// A ping-pong server with one thread for all clients, on `io_uring`
#[derive(Clone, Debug, Parser)]
#[command(name = "09-uring", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
    /// How much to take on.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Where many clients are active, wait up to so long for an eighth of
    /// them; needs Linux 6.12 [default: for the first alone]
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub min_wait: Option<u32>,
}

/// Serves every client in this one thread until SIGINT or SIGTERM. Fails where
/// it cannot start: without `io_uring`, or as [`blocking::listen`] does. Once it
/// runs, only `io_uring_enter` could end it, by an error that only a wrong
/// program gets.
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let ring = Ring::new(options.min_wait)?;
    let signals = Signals::new()?;
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    log.notice(Message::Listening(local_address(&listener)?));

    Server::new(ring, signals, listener, &options.limits, log).run()
}
