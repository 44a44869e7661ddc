//! Step 04 on `poll`: every file of it as it stands, but for `poller.rs`.

#![expect(unreachable_pub, reason = "what the step offers, a program does not")]

#[path = "../../src/connection.rs"]
mod connection;
#[path = "../../src/listener.rs"]
mod listener;
mod poller;
#[path = "../../src/server.rs"]
mod server;
#[path = "../../src/session.rs"]
mod session;
mod signals {
    pub(crate) use epoll::Signals;
}

use std::process::ExitCode;

use blocking::{listen, local_address};
use clap::Parser;
use protocol::{LimitOptions, ListenOptions, Log, Message, Result};

use listener::set_nonblocking;
use poller::Poller;
use server::Server;
use signals::Signals;

/// A ping-pong server with one thread for all clients, on poll
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    let signals = Some(Signals::new()?);
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    set_nonblocking(&listener)?;
    log.notice(Message::EpollListening(local_address(&listener)?));

    let (poller, listener) = (Poller::default(), Box::new(listener));
    Server::new(poller, signals, listener, &options.limits, log)?.run()
}

fn main() -> ExitCode {
    protocol::exit_code(run(&Options::parse()))
}
