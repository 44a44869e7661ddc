//! # Step 08: an async runtime
//!
//! Step 04 wrote down by hand what a thread of step 02 kept on its stack. Here
//! the compiler does: an `async fn` reads like a thread's code, and becomes a
//! state machine that returns wherever it would have to wait. What calls it
//! again is the runtime, on one thread and the `epoll` of step 04.
//!
//! | file | its one idea |
//! |---|---|
//! | `executor.rs` | tasks: poll the ones that were woken |
//! | `reactor.rs` | from an event of `epoll` to the task that waits for it |
//! | `source.rs` | a descriptor: `accept`, `read`, `write` |
//! | `timers.rs` | waiting until a time |
//! | `race.rs` | waiting for two things at once |
//! | `server.rs` | the server: step 02's, with `.await` |
//!
//! What it cannot do: use a second core, or be woken by another thread.
#![cfg(target_os = "linux")]

mod executor;
mod race;
mod reactor;
mod server;
mod source;
mod timers;

use blocking::{listen, local_address, reset_inherited};
use clap::Parser;
use epoll::Signals;
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

pub use executor::Runtime;
pub use race::{Either, race, until, yield_now};
use reactor::Reactor;
pub use source::Source;
use timers::Timers;

/// A ping-pong server on an async runtime of its own
#[derive(Clone, Debug, Parser)]
#[command(name = "08-async", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
    /// How much to take on.
    #[command(flatten)]
    pub limits: LimitOptions,
}

/// Serves every client in this one thread until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps the server from starting: see [`blocking::listen`].
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let signals = Signals::new()?;
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    log.notice(Message::EpollListening(local_address(&listener)?));
    server::run(listener, signals, &options.limits, log)
}
