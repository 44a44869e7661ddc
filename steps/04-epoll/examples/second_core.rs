//! Step 04 twice, in two threads: each loop has its own listener on the same
//! port (`SO_REUSEPORT`), its own set and its own clients.

#[path = "../src/acceptor.rs"]
mod acceptor;
#[path = "../src/clients.rs"]
mod clients;
#[path = "../src/connection.rs"]
mod connection;
#[path = "../src/event_loop.rs"]
mod event_loop;
#[path = "../src/outbox.rs"]
mod outbox;
mod poller {
    pub(crate) use epoll::{Interest, Poller, Told};
}
#[path = "../src/stream.rs"]
mod stream;

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;
use std::thread;

use blocking::local_address;
use clap::Parser;
use epoll::Trigger;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::sockopt::{ReuseAddr, ReusePort};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen,
    setsockopt, socket,
};
use protocol::{Doing, Failure, LimitOptions, ListenOptions, Log, Message};

use acceptor::Acceptor;
use event_loop::EventLoop;
use poller::{Interest, Poller};
use signals::Signals;

/// A ping-pong server with two event loops, for two cores
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

// ANCHOR: signals
/// Who tells the loops of a signal: one descriptor, in both sets.
mod signals {
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI32, Ordering};

    use nix::sys::eventfd::{EfdFlags, EventFd};

    #[derive(Clone)]
    pub(crate) struct Signals {
        bell: Arc<EventFd>,
        number: Arc<AtomicI32>,
    }

    impl Signals {
        pub(crate) fn new() -> nix::Result<Self> {
            let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?.into();
            Ok(Self { bell, number: Arc::default() })
        }

        /// Nobody reads from the bell. So it stays readable, and each loop
        /// hears of it: once, since both are edge-triggered.
        pub(crate) fn ring(&self, number: i32) -> nix::Result<()> {
            self.number.store(number, Ordering::SeqCst);
            self.bell.write(1).map(drop)
        }

        pub(crate) fn take(&self) -> Option<i32> {
            Some(self.number.load(Ordering::SeqCst)).filter(|&n| n != 0)
        }
    }

    impl AsFd for Signals {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.bell.as_fd()
        }
    }
}
// ANCHOR_END: signals

// ANCHOR: run
fn run(options: &Options) -> Result<(), Failure> {
    let blocked = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    blocked.thread_block().map_err(|e| Doing::Signals.failed(e))?;
    let signals = Signals::new().map_err(|e| Doing::Signals.failed(e))?;

    // A second server on this port would share it without a word. Whoever is
    // there already is in the way of one who does not share.
    let alone = bound(options.listen.address(), false)?;
    let address = local_address(&alone)?;
    drop(alone);

    let mut loops = Vec::new();
    for _ in 0..2 {
        let listener = listener(address, options.listen.backlog)?;
        let acceptor = Acceptor::new(listener, &options.limits)?;
        let poller = Poller::new(Trigger::Edge)?;
        let log = Log::new(options.listen.quiet);
        let idle = options.limits.idle_timeout;
        let signals = signals.clone();
        loops.push(EventLoop::new(poller, signals, acceptor, idle, log)?);
    }
    Log::new(false).announce(Message::EpollListening(address));
    thread::scope(|scope| {
        for one in loops {
            scope.spawn(move || one.run());
        }
        let number = blocked.wait().map_err(|e| Doing::Signals.failed(e))?;
        let _ = blocked.thread_unblock(); // a second one ends us at once
        let rung = signals.ring(number as i32);
        rung.map_err(|e| Doing::Signals.failed(e))
    })
}
// ANCHOR_END: run

// ANCHOR: listener
fn listener(address: SocketAddr, backlog: i32) -> Result<OwnedFd, Failure> {
    let socket = bound(address, true)?;
    // Linux takes any number for the backlog, and cuts it by itself.
    let backlog = Backlog::new(backlog).unwrap_or(Backlog::MAXALLOWABLE);
    listen(&socket, backlog).map_err(|e| Doing::Listen.failed(e))?;
    Ok(socket)
}

/// A socket with this address; shared with all others that are shared.
fn bound(address: SocketAddr, shared: bool) -> Result<OwnedFd, Failure> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|e| Doing::Socket.failed(e))?;
    setsockopt(&socket, ReuseAddr, &true)
        .and_then(|()| setsockopt(&socket, ReusePort, &shared))
        .map_err(|e| Doing::Option.failed(e))?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))
        .map_err(|e| Doing::Bind.failed(e))?;
    Ok(socket)
}
// ANCHOR_END: listener

fn main() -> ExitCode {
    protocol::conclude(run(&Options::parse()))
}
