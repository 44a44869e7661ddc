//! # Step 07: a loop for each core
//!
//! Step 04 serves all clients with one thread, and so with one core. Here its
//! loop runs several times, unchanged. The loops share no connection, and so no
//! lock; what they share is where the connections come from, the limit on their
//! number, and the signal.
//!
//! | file | its one idea |
//! |---|---|
//! | `shared.rs` | what all loops share: a count, a flag, and wake-ups |
//! | `queues.rs` | `reuseport` and `exclusive`: the kernel spreads the clients |
//! | `handover.rs` | `handover`: one thread accepts, and picks a loop for each |
//!
//! What it cannot do: make one client faster, or move a connection to a loop
//! that has less to do.
#![cfg(target_os = "linux")]

mod handover;
mod queues;
mod shared;

use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

use blocking::{listen, local_address, reset_inherited};
use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use epoll::{Incoming, Poller, Server, Trigger};
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};
use threads::{connection_limit, spawn_signal_thread};

use handover::Recipients;
use queues::Queue;
use shared::{Shared, WakeUp};

/// How the clients are spread over the loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Spread {
    /// A listener for each loop on the same port: SO_REUSEPORT.
    Reuseport,
    /// One listener in the sets of all loops: EPOLLEXCLUSIVE.
    Exclusive,
    /// One thread accepts, and hands each client to the least busy loop.
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
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    let address = local_address(&listener)?;
    let shared = Arc::new(options.shared()?);
    let loops = options.loops(listener, &shared)?;

    // Before any other thread exists: they inherit the mask.
    let (on_signal, mut signal_log) = (Arc::clone(&shared), log.for_thread());
    spawn_signal_thread(move |signal| {
        signal_log.notice(Message::ShuttingDown(signal));
        signal_log.flush();
        on_signal.wake_all(WakeUp::STOP);
    })?;
    let ended = spawn_all(loops, options.limits.idle_timeout, &log)?;
    log.notice(Message::EpollListening(address));
    log.flush();
    ended.iter().collect::<Result<()>>()?;
    if let left @ 1.. = shared.left.load(SeqCst) {
        log.notice(Message::LeftInQueue(left));
        log.flush();
    }
    Ok(())
}

/// Starts a thread for each loop. Each sends what it has ended with: an error
/// of one ends the process.
///
/// # Errors
/// EAGAIN where no thread can be created.
// ANCHOR: spawn
fn spawn_all(
    loops: Vec<Loop>,
    idle: Option<Duration>,
    log: &Log,
) -> Result<Receiver<Result<()>>> {
    let (sender, ended) = channel();
    for (stop, incoming) in loops {
        let (poller, stop) = (Poller::new(Trigger::Edge)?, Box::new(stop));
        let log = log.for_thread();
        let server = Server::new(poller, stop, incoming, idle, log)?;
        let sender = sender.clone();
        let run = move || sender.send(server.run());
        Builder::new().spawn(run).context(Call::Thread)?;
    }
    Ok(ended)
}
// ANCHOR_END: spawn

/// What stops a loop, and where its clients come from.
type Loop = (WakeUp, Box<dyn Incoming>);

impl Options {
    fn cores(&self) -> usize {
        let available = || available_parallelism().map_or(1, NonZeroUsize::get);
        self.cores.unwrap_or_else(available)
    }

    /// With one loop there is none to choose.
    fn hands_over(&self) -> bool {
        self.spread == Spread::Handover && self.cores() > 1
    }

    fn shared(&self) -> Result<Shared> {
        let cores = self.cores();
        let acceptors = if self.hands_over() { 1 } else { cores };
        // Each loop has descriptors of its own: epoll, wake-ups, a listener.
        let default = || connection_limit(None).saturating_sub(3 * cores);
        let max = self.limits.max_connections.unwrap_or_else(default);
        Shared::new(acceptors, max.max(1))
    }

    fn loops(&self, first: OwnedFd, shared: &Arc<Shared>) -> Result<Vec<Loop>> {
        let (first, mut loops) = (Arc::new(first), Vec::new());
        let mut recipients = Recipients::default();
        if self.hands_over() {
            for _ in 0..self.cores() {
                loops.push(recipients.add_loop(shared)?);
            }
        }
        for (number, stop) in shared.wake_ups.iter().enumerate() {
            let listener = match self.spread {
                Spread::Reuseport if number > 0 => {
                    Arc::new(queues::another(&first, self.listen.backlog)?)
                }
                _ => Arc::clone(&first),
            };
            let queue = Queue {
                listener,
                exclusive: self.spread == Spread::Exclusive,
                shared: Arc::clone(shared),
                recipients: mem::take(&mut recipients),
            };
            loops.push((stop.clone(), Box::new(queue)));
        }
        Ok(loops)
    }
}
