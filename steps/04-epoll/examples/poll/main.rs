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
use threads::connection_limit;

use listener::{Listener, set_nonblocking};
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
    let signals = Signals::new()?;
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    set_nonblocking(&listener)?;
    log.notice(Message::EpollListening(local_address(&listener)?));

    let LimitOptions { max_connections, idle_timeout } = options.limits;
    let max_connections = connection_limit(max_connections);
    let queue = Listener { socket: listener, max_connections };
    let (signals, queue) = (Some(signals), Box::new(queue));
    Server::new(Poller::default(), signals, queue, idle_timeout, log)?.run()
}

fn main() -> ExitCode {
    protocol::exit_code(run(&Options::parse()))
}
