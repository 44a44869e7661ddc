//! # Step 07: a loop for each core
//!
//! Step 04 serves all clients with one thread, and so with one core. Here its
//! loop runs several times, unchanged. The loops share no connection; what they
//! share is where the connections come from, the limit on their number, and
//! that the server stops.
//!
//! | file | its one idea |
//! |---|---|
//! | `queue.rs` | the accept queue that a loop takes its clients from |
//! | `shared.rs` | what all loops share: who is next, and how it is woken |
//!
//! What it cannot do: make one client faster, or move a connection to a loop
//! that has less to do.
#![cfg(target_os = "linux")]

mod queue;
mod shared;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::Builder;

use blocking::{listen, local_address, reset_inherited};
use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use epoll::{Poller, Server, Signals, Trigger};
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

use queue::{Listener, Queue};
use shared::Shared;

/// How the clients are spread over the loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Spread {
    /// A listener for each loop on the same port: SO_REUSEPORT.
    Reuseport,
    /// One listener in the sets of all loops: EPOLLEXCLUSIVE.
    Exclusive,
    /// One listener, and the loop with the fewest clients accepts.
    Handover,
}

/// A ping-pong server with an event loop for each core
#[derive(Clone, Debug, Parser)]
#[command(name = "07-cores", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
    /// How much to take on.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Event loops [default: as many as there are cores for this process]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub cores: Option<usize>,
    /// How clients are spread over the loops
    #[arg(long, value_enum, default_value_t = Spread::Handover)]
    pub spread: Spread,
}

/// Serves with a loop for each core until SIGINT or SIGTERM. Fails where it
/// cannot start, as [`blocking::listen`] does or without a thread (EAGAIN).
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    // Before any other thread exists: they inherit the mask.
    let signals = Signals::new()?;
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    let address = local_address(&listener)?;
    let shared = Arc::new(Shared::new(options)?);
    let first = Arc::new(Listener::new(listener, &shared)?);

    let start = |own| {
        let listener = match options.spread {
            Spread::Reuseport => first.another(options.listen.backlog)?.into(),
            Spread::Exclusive | Spread::Handover => Arc::clone(&first),
        };
        let server = new_loop(options, listener, own, None, &log)?;
        Builder::new().spawn(|| server.run()).context(Call::Thread)
    };
    let others = 1..shared.wake_ups.len();
    let threads = others.map(start).collect::<Result<Vec<_>>>()?;
    let server = new_loop(options, first, 0, Some(signals), &log)?;
    log.notice(Message::EpollListening(address));
    log.flush();
    // This thread runs the first loop, which hears the signal.
    server.run()?;
    for thread in threads {
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
    }
    if let left @ 1.. = shared.lock().left {
        log.notice(Message::LeftInQueue(left));
    }
    Ok(())
}

/// The loop of step 04.
fn new_loop(
    options: &Options,
    listener: Arc<Listener>,
    own: usize,
    signals: Option<Signals>,
    log: &Log,
) -> Result<Server> {
    let queue = Box::new(Queue { listener, own });
    let poller = Poller::new(Trigger::Edge)?;
    queue.listener.register(&poller)?;
    // One limit for all loops: `Shared` keeps it.
    let max_connections = Some(usize::MAX);
    let limits = LimitOptions { max_connections, ..options.limits };
    Server::new(poller, signals, queue, &limits, Log::new(log.quiet))
}
