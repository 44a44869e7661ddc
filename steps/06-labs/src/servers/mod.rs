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
use nix::sys::resource::{Resource, setrlimit};
use protocol::{Call, ListenOptions, Log, Message, Result, ResultExt};

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

    /// Step 04's, which has those of all others.
    #[command(flatten)]
    options: epoll::Options,

    /// Have no more descriptors than that
    #[arg(long)]
    descriptors: Option<u64>,
}

impl Serve {
    /// Is the server, until it is ended.
    pub(crate) fn serve(&self) -> Result<()> {
        if let Some(most) = self.descriptors {
            setrlimit(Resource::RLIMIT_NOFILE, most, most)
                .context(Call::SetSockOpt)?;
        }
        let epoll::Options { listen, limits, trigger } = self.options.clone();
        let listener = || announced(&listen);
        match self.kind {
            Kind::Blocking => blocking::run(&blocking::Options { listen }),
            Kind::Threads => threads::run(&threads::Options { listen, limits }),
            Kind::Epoll => epoll::run(&self.options),
            Kind::OneRecv => one_recv::serve(&listener()?),
            Kind::ReadOnce => event_loop::read_once(&listener()?, trigger),
            Kind::SpinOnEmfile => spin_on_emfile::serve(&listener()?),
            Kind::BlockingSend => event_loop::block_in_send(&listener()?),
            Kind::UnboundedOutbox => event_loop::keep_everything(&listener()?),
        }
    }
}

/// A listener, for a server of a few lines: its first line says where.
fn announced(options: &ListenOptions) -> Result<OwnedFd> {
    let listener = listen(options.address(), options.backlog)?;
    Log::new(true).notice(Message::Listening(local_address(&listener)?));
    Ok(listener)
}
