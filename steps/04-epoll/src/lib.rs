//! # Step 04: one thread for all clients
//!
//! Step 02 spends a thread on each client, and nearly all of them wait. Here
//! one thread waits for all clients at once with `epoll`, and does for each what
//! can be done without waiting.
//!
//! What a thread kept on its stack (how far are we with this client?) has to
//! be written down instead: each connection is a small state machine. From its
//! state follows what it waits for, and the event loop tells the kernel.
//!
//! | file | its one idea |
//! |---|---|
//! | `poller.rs` | `epoll`: register interest, and wait until something is ready |
//! | `session.rs` | a connection as a state machine |
//! | `connection.rs` | its socket: read and send what can be done now |
//! | `listener.rs` | where a loop's connections come from |
//! | `signals.rs` | a signal as one more descriptor to wait for |
//! | `server.rs` | one turn after the other, until all is done |
//!
//! What it cannot do: use a second core. That is the problem of step 07.
#![cfg(target_os = "linux")]

mod connection;
mod listener;
mod poller;
mod server;
mod session;
mod signals;

use blocking::{listen, local_address, reset_inherited};
use clap::Parser;
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

pub use listener::{Incoming, set_nonblocking};
pub use poller::{Event, Interest, Poller, Trigger};
pub use server::{LISTENER, Server};
pub use session::Session;
pub use signals::Signals;

/// A ping-pong server with one thread for all clients, on epoll
#[derive(Clone, Debug, Parser)]
#[command(name = "04-epoll", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
    /// How much to take on.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Whether epoll reports that a connection became ready, or that it is
    #[arg(long, value_enum, default_value_t = Trigger::Edge)]
    pub trigger: Trigger,
}

/// Serves every client in this one thread until SIGINT or SIGTERM. Fails where
/// it cannot start, as [`blocking::listen`] does. Once it runs, only
/// `epoll_wait` could end it, by an error that only a wrong program gets.
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let signals = Some(Signals::new()?);
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    set_nonblocking(&listener)?;
    log.notice(Message::EpollListening(local_address(&listener)?));

    let poller = Poller::new(options.trigger)?;
    let listener = Box::new(listener);
    Server::new(poller, signals, listener, &options.limits, log)?.run()
}
