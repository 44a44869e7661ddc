//! What this program can be: the servers of steps 01, 02 and 04, step 03's load
//! client, and small servers that do what the labs warn of.
//!
//! So nothing stale is ever measured: the servers are those that this program
//! was built with.

mod event_loop;
mod one_recv;
mod spin_on_emfile;

use std::os::fd::OwnedFd;

use blocking::{listen, local_address};
use clap::{Args, ValueEnum};
use epoll::Trigger;
use nix::sys::resource::{Resource, setrlimit};
use protocol::{
    Call, Error, LimitOptions, ListenOptions, Log, Message, ResultExt,
};

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// One client at a time.
    #[value(name = "01-blocking")]
    Blocking,
    /// A thread per client.
    #[value(name = "02-threads")]
    Threads,
    /// One thread for all clients.
    #[value(name = "04-epoll")]
    Epoll,
    /// Takes one `recv` for one message: `framing`.
    OneRecv,
    /// Reads and accepts once an event: `edge-trigger`.
    ReadOnce,
    /// Calls `accept` again at once, whatever it returned: `descriptors`.
    SpinOnEmfile,
    /// Waits in `send`, in an event loop: `slow-reader`.
    BlockingSend,
    /// Keeps all that can't be sent yet: `slow-reader`.
    UnboundedOutbox,
}

/// The options of the hidden `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    kind: Kind,

    #[arg(long, default_value_t = 4096)]
    backlog: i32,

    #[arg(long, value_enum, default_value_t = Trigger::Edge)]
    trigger: Trigger,

    /// Have no more descriptors than that
    #[arg(long)]
    descriptors: Option<u64>,

    /// Have stderr read by the parent
    #[arg(long)]
    stderr: bool,
}

impl Serve {
    /// Is the server, until it is ended.
    pub(crate) fn serve(&self) -> Result<(), Error> {
        if let Some(most) = self.descriptors {
            setrlimit(Resource::RLIMIT_NOFILE, most, most)
                .context(Call::SetSockOpt)?;
        }
        let trigger = self.trigger;
        let (listen, limits) = self.listen_and_limit_options();
        match self.kind {
            Kind::Blocking => blocking::run(&blocking::Options { listen }),
            Kind::Threads => threads::run(&threads::Options { listen, limits }),
            Kind::Epoll => {
                epoll::run(&epoll::Options { listen, limits, trigger })
            }
            Kind::OneRecv => one_recv::serve(&self.announced()?),
            Kind::ReadOnce => {
                event_loop::read_once(&self.announced()?, trigger)
            }
            Kind::SpinOnEmfile => spin_on_emfile::serve(&self.announced()?),
            Kind::BlockingSend => event_loop::block_in_send(&self.announced()?),
            Kind::UnboundedOutbox => {
                event_loop::keep_everything(&self.announced()?)
            }
        }
    }

    fn listen_and_limit_options(&self) -> (ListenOptions, LimitOptions) {
        let host = ([127, 0, 0, 1], 0).into();
        let backlog = self.backlog;
        let listen = ListenOptions { host, port: 0, backlog, quiet: true };
        // Few descriptors are to run out, and not to be counted beforehand.
        let max_connections = self.descriptors.map(|_| usize::MAX);
        (listen, LimitOptions { max_connections, idle_timeout: None })
    }

    /// A listener, for a server of a few lines: its first line says where.
    fn announced(&self) -> Result<OwnedFd, Error> {
        let (options, _) = self.listen_and_limit_options();
        let listener = listen(options.address(), options.backlog)?;
        Log::new(true).notice(Message::Listening(local_address(&listener)?));
        Ok(listener)
    }
}
