//! Step 04 with two listeners: every file of it as it stands, but for
//! `acceptor.rs`, which is wrapped.

mod acceptor;
#[path = "../../src/clients.rs"]
mod clients;
#[path = "../../src/connection.rs"]
mod connection;
#[path = "../../src/event_loop.rs"]
mod event_loop;
#[path = "../../src/outbox.rs"]
mod outbox;
mod poller {
    pub(crate) use epoll::{Interest, Poller, Told};
}
mod signals {
    pub(crate) use epoll::Signals;
}
#[path = "../../src/stream.rs"]
mod stream;

use std::net::Ipv6Addr;
use std::process::ExitCode;

use blocking::{listen, local_address};
use clap::Parser;
use epoll::Trigger;
use protocol::{Failure, LimitOptions, ListenOptions, Log, Message};

use acceptor::Acceptor;
use event_loop::EventLoop;
use poller::{Interest, Poller};
use signals::Signals;

/// A ping-pong server that listens on an address of its choice, and on ::1
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    limits: LimitOptions,
    #[arg(long, value_enum, default_value_t = Trigger::Edge)]
    trigger: Trigger,
}

// ANCHOR: run
fn run(options: &Options) -> Result<(), Failure> {
    let mut log = Log::new(options.listen.quiet);
    let signals = Signals::new()?;
    let backlog = options.listen.backlog;
    let first = listen(options.listen.address(), backlog)?;
    let address = local_address(&first)?;
    let second = listen((Ipv6Addr::LOCALHOST, address.port()).into(), backlog)?;
    log.announce(Message::EpollListening(address));
    log.announce(Message::EpollListening(local_address(&second)?));

    let acceptor = Acceptor::new([first, second], &options.limits)?;
    let poller = Poller::new(options.trigger)?;
    let idle_timeout = options.limits.idle_timeout;
    EventLoop::new(poller, signals, acceptor, idle_timeout, log)?.run()
}
// ANCHOR_END: run

fn main() -> ExitCode {
    protocol::conclude(run(&Options::parse()))
}
