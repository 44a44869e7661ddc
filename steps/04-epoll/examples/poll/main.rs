//! Step 04 on `poll`: every file of it as it stands, but for `poller.rs`.

#[path = "../../src/acceptor.rs"]
mod acceptor;
#[path = "../../src/clients.rs"]
mod clients;
#[path = "../../src/connection.rs"]
mod connection;
#[path = "../../src/event_loop.rs"]
mod event_loop;
#[path = "../../src/outbox.rs"]
mod outbox;
mod poller;
mod signals {
    pub(crate) use epoll::Signals;
}
#[path = "../../src/stream.rs"]
mod stream;

use std::process::ExitCode;

use blocking::{listen, local_address};
use clap::Parser;
use protocol::{Failure, LimitOptions, ListenOptions, Log, Message};

use acceptor::Acceptor;
use event_loop::EventLoop;
use poller::{Interest, Poller};
use signals::Signals;

/// A ping-pong server with one thread for all clients, on poll
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

fn run(options: &Options) -> Result<(), Failure> {
    let mut log = Log::new(options.listen.quiet);
    let signals = Signals::new()?;
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    log.announce(Message::EpollListening(local_address(&listener)?));

    let acceptor = Acceptor::new(listener, &options.limits)?;
    let poller = Poller::default();
    let idle_timeout = options.limits.idle_timeout;
    EventLoop::new(poller, signals, acceptor, idle_timeout, log)?.run()
}

fn main() -> ExitCode {
    protocol::conclude(run(&Options::parse()))
}
