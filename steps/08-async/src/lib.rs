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
//! | `source.rs` | from an event of `epoll` to the task that waits for it |
//! | `futures.rs` | by hand: a time, a condition, the first of two |
//! | `server.rs` | the server: step 02's, with `.await` |
//!
//! What it cannot do: use a second core, or be woken by another thread.
#![cfg(target_os = "linux")]

mod executor;
mod futures;
mod server;
mod source;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use blocking::{listen, local_address, reset_inherited};
use clap::Parser;
use epoll::{Signals, set_nonblocking};
use protocol::{
    Call, LimitOptions, ListenOptions, Log, Message, Result, ResultExt,
};

pub use executor::Runtime;
pub use futures::{race, until};
use server::{READ_SIZE, Server};
pub use source::Source;

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

/// Serves every client in this one thread until SIGINT or SIGTERM. Fails where
/// it cannot start, as [`blocking::listen`] does.
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let signals = Signals::new()?;
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    set_nonblocking(&listener)?;
    log.notice(Message::EpollListening(local_address(&listener)?));

    let runtime = Rc::new(Runtime::new()?);
    let listener = Source::new(listener, &runtime)?;
    let signals = Source::new(signals, &runtime)?;
    let server = Rc::new(Server {
        runtime,
        limits: options.limits.clone(),
        log: RefCell::new(log),
        buffer: RefCell::new([0; READ_SIZE]),
        is_stopping: Cell::new(false),
    });
    let flush_log = || server.log.borrow_mut().flush();
    server.runtime.block_on(server.serve(listener, signals), flush_log)
}
