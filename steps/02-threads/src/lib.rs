//! # Step 02: a thread per client
//!
//! Step 01 makes the second client wait for the first. Here the main thread
//! only accepts, and each client has a thread of its own in which `recv` and
//! `send` may wait as long as they like. The conversation is that of step 01.
//! From here on the calls come from `nix`, and our code needs no `unsafe`.
//!
//! What it cannot do: serve ten thousand clients cheaply. Each costs a stack,
//! and the kernel switches between threads for every message: see step 04.

mod acceptor;
mod connections;
mod idle;
mod limits;
mod signals;

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::{self, Builder};
use std::time::Duration;

use blocking::{listen, local_address, reset_inherited};
use clap::Parser;
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

use connections::Connections;
pub use idle::IdleTimer;
pub use limits::connection_limit;
pub use signals::{block_signals, spawn_signal_thread};

/// How long clients may take to read their last replies at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

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
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    let (address, listener) = (local_address(&listener)?, Arc::new(listener));
    let connections = Arc::new(Connections::default());

    let (shared, woken) = (Arc::clone(&connections), Arc::clone(&listener));
    spawn_signal_thread(move |signal| {
        shared.shut_down(signal);
        // Wakes `accept`. Where a listener cannot be shut down (macOS), a
        // connection does.
        if shutdown(woken.as_raw_fd(), Shutdown::Read).is_err() {
            let _ = TcpStream::connect(address);
        }
    })?;
    let max = connection_limit(options.limits.max_connections);
    // The scope ends when the threads in it have ended: it joins them.
    thread::scope(|scope| {
        let connections = &*connections;
        if let Some(timeout) = options.limits.idle_timeout {
            let close = move || connections.close_idle(timeout);
            Builder::new().spawn_scoped(scope, close).context(Call::Thread)?;
        }
        log.notice(Message::Listening(address));
        let signal =
            acceptor::run(&listener, connections, max, scope, &mut log);
        log.notice(Message::ShuttingDown(signal));
        log.flush();
        drop(listener); // close(2): a client that connects now is refused
        connections.drain(DRAIN_TIMEOUT);
        Ok(())
    })
}
