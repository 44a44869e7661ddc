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

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, available_parallelism};

use blocking::{listen, local_address, reset_inherited};
use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use epoll::{Poller, Server, Signals, Trigger};
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};
use threads::connection_limit;

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

/// Serves with a loop for each core until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps the server from starting: see [`blocking::listen`]; EAGAIN
/// where no thread can be created.
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    // Before any other thread exists: they inherit the mask.
    let signals = Signals::new()?;
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    let address = local_address(&listener)?;
    let shared = Arc::new(options.shared()?);
    let first = Arc::new(Listener::new(listener, &shared)?);

    let threads = start_others(options, &first, &log)?;
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
        log.flush();
    }
    Ok(())
}

/// # Errors
/// EAGAIN where no thread can be created.
fn start_others(
    options: &Options,
    first: &Arc<Listener>,
    log: &Log,
) -> Result<Vec<JoinHandle<Result<()>>>> {
    let start = |own| {
        let listener = match options.spread {
            Spread::Reuseport => first.another(options.listen.backlog)?.into(),
            Spread::Exclusive | Spread::Handover => Arc::clone(first),
        };
        let server = new_loop(options, listener, own, None, log)?;
        Builder::new().spawn(|| server.run()).context(Call::Thread)
    };
    (1..first.shared.wake_ups.len()).map(start).collect()
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
    let (poller, log) = (Poller::new(Trigger::Edge)?, log.for_thread());
    Server::new(poller, signals, queue, options.limits.idle_timeout, log)
}

impl Options {
    fn shared(&self) -> Result<Shared> {
        let available = available_parallelism().map_or(1, NonZeroUsize::get);
        let cores = self.cores.unwrap_or(available);
        // Each loop has two descriptors or three of its own.
        let default = || connection_limit(None).saturating_sub(3 * cores);
        let max = self.limits.max_connections.unwrap_or_else(default).max(1);
        Shared::new(cores, max, self.spread == Spread::Handover)
    }
}
