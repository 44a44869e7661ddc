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
//! | `poller.rs` | `epoll`: ask for readiness, and wait for it |
//! | `connection.rs` | a connection as a state machine |
//! | `stream.rs` | `recv` and `send` that never wait |
//! | `outbox.rs` | replies that the kernel has not taken yet |
//! | `acceptor.rs` | taking clients from the queue while there is room |
//! | `clients.rs` | whom an event is about: from a token to a connection |
//! | `event_loop.rs` | one turn after the other, until all is done |
//! | `signals.rs` | a signal as one more descriptor to wait for |
//!
//! In `examples/` are the experiments of the book's chapter, and the solutions
//! of its exercises.
//!
//! What it cannot do: use a second core. Where to go from there is in the
//! book's last chapter.
#![cfg(target_os = "linux")]

mod acceptor;
mod clients;
mod connection;
mod event_loop;
mod outbox;
mod poller;
mod signals;
mod stream;

use blocking::{listen, local_address};
use clap::Parser;
use protocol::{Failure, LimitOptions, ListenOptions, Log, Message};

use acceptor::Acceptor;
use event_loop::EventLoop;
pub use poller::{Event, Interest, Poller, Told, Trigger};
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

/// Serves every client in this one thread until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps the server from starting: see [`blocking::listen`]. Once it
/// runs, only `epoll_wait` itself could end it, by an error that the kernel
/// gives for a wrong program alone.
// ANCHOR: run
pub fn run(options: &Options) -> Result<(), Failure> {
    let mut log = Log::new(options.listen.quiet);
    let signals = Signals::new()?;
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    log.announce(Message::EpollListening(local_address(&listener)?));

    let acceptor = Acceptor::new(listener, &options.limits)?;
    let poller = Poller::new(options.trigger)?;
    let idle_timeout = options.limits.idle_timeout;
    EventLoop::new(poller, signals, acceptor, idle_timeout, log)?.run()
}
// ANCHOR_END: run
