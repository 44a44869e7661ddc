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

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{
    self, Builder, Scope, ScopedJoinHandle, available_parallelism,
};

use blocking::{listen, local_address, reset_inherited};
use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use epoll::{Poller, Server, Trigger};
use protocol::{
    Call, Error, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};
use threads::{connection_limit, spawn_signal_thread};

use handover::Acceptor;
use shared::{Loop, Shared};

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
    let ListenOptions { backlog, .. } = options.listen;
    let listener = listen(options.listen.address(), backlog)?;
    let address = local_address(&listener)?;
    let shared = Arc::new(options.shared()?);

    let (mut acceptor, mut servers) = (None, Vec::new());
    for (number, incoming) in match options.spread {
        Spread::Reuseport => queues::reuseport(listener, backlog, &shared)?,
        Spread::Exclusive => queues::exclusive(listener, &shared),
        Spread::Handover => {
            acceptor = Some(Acceptor::new(listener, &shared)?);
            handover::inboxes(&shared)
        }
    }
    .into_iter()
    .enumerate()
    {
        let poller = Poller::new(Trigger::Edge)?;
        let stop = Box::new(Loop { shared: Arc::clone(&shared), number });
        let (idle, log) = (options.limits.idle_timeout, log.for_thread());
        servers.push(Server::new(poller, stop, incoming, idle, log)?);
    }

    // Before any other thread exists: they inherit the mask.
    let (on_signal, mut signal_log) = (Arc::clone(&shared), log.for_thread());
    spawn_signal_thread(move |signal| {
        signal_log.notice(Message::ShuttingDown(signal));
        signal_log.flush();
        on_signal.shut_down();
    })?;
    thread::scope(|scope| {
        let loops = spawn_all(scope, servers, &shared)?;
        log.notice(Message::EpollListening(address));
        log.flush();
        let accepted = acceptor.map_or(Ok(()), |a| a.run(&mut log));
        let ended = loops.into_iter().map(|l| l.join().unwrap_or(Ok(())));
        ended.fold(accepted, Result::and)
    })
}

type Running<'scope> = ScopedJoinHandle<'scope, Result<()>>;

/// A thread for each loop. One that ends with an error ends the others, too.
///
/// # Errors
/// EAGAIN where no thread can be created.
// ANCHOR: spawn
fn spawn_all<'scope>(
    scope: &'scope Scope<'scope, '_>,
    servers: Vec<Server>,
    shared: &'scope Shared,
) -> Result<Vec<Running<'scope>>> {
    let stop_all = move |_: &Error| shared.shut_down();
    let spawn = |server: Server| {
        let work = move || server.run().inspect_err(stop_all);
        let spawned = Builder::new().spawn_scoped(scope, work);
        spawned.context(Call::Thread).inspect_err(stop_all)
    };
    servers.into_iter().map(spawn).collect()
}
// ANCHOR_END: spawn

impl Options {
    fn shared(&self) -> Result<Shared> {
        let available = || available_parallelism().map_or(1, NonZeroUsize::get);
        let cores = self.cores.unwrap_or_else(available);
        // Each loop has descriptors of its own: epoll, wake-ups, a listener.
        let default = || connection_limit(None).saturating_sub(3 * (cores - 1));
        let requested = self.limits.max_connections;
        Shared::new(cores, requested.unwrap_or_else(default).max(1))
    }
}
