//! What this program can be: the servers of steps 01, 02 and 04, step 03's load
//! client, and small servers that do what the labs warn of.
//!
//! So nothing stale is ever measured: the servers are those that this program
//! was built with.

use std::os::fd::OwnedFd;
use std::process::{self, ExitCode};

use blocking::{listen, local_address};
use clap::{Args, ValueEnum};
use epoll::Trigger;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};
use protocol::{
    Call, Error, Host, LimitOptions, ListenOptions, Log, Message, ResultExt,
};

use crate::labs::{descriptors, edge_trigger, framing, slow_reader};

/// A server.
// ANCHOR: who
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
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
    Once,
    /// Calls `accept` again at once, whatever it said: `descriptors`.
    Spin,
    /// Waits in `send`, in an event loop: `slow-reader`.
    WaitInSend,
    /// Keeps all that can't be sent yet: `slow-reader`.
    Hoard,
}
// ANCHOR_END: who

/// The options of the hidden `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    life: Life,

    who: Who,

    #[arg(long, default_value_t = 4096)]
    backlog: i32,

    #[arg(long, value_enum, default_value_t = Trigger::Edge)]
    trigger: Trigger,

    /// Have no more descriptors than that
    #[arg(long)]
    descriptors: Option<u64>,

    /// Have stderr read by the parent
    #[arg(long)]
    complain: bool,
}

impl Serve {
    /// Is the server, until it is ended.
    ///
    /// # Errors
    /// It can't listen, or it is a bad server and fails.
    // ANCHOR: serve
    pub(crate) fn serve(&self) -> Result<(), Error> {
        self.life.end_with_parent();
        if let Some(most) = self.descriptors {
            setrlimit(Resource::RLIMIT_NOFILE, most, most)
                .context(Call::SetSockOpt)?;
        }
        let trigger = self.trigger;
        let (listen, limits) = self.listen_and_limit_options();
        match self.who {
            Who::Blocking => blocking::run(&blocking::Options { listen }),
            Who::Threads => threads::run(&threads::Options { listen, limits }),
            Who::Epoll => {
                epoll::run(&epoll::Options { listen, limits, trigger })
            }
            Who::OneRecv => framing::serve_one_recv(&self.announced()?),
            Who::Once => edge_trigger::serve_once(&self.announced()?, trigger),
            Who::Spin => descriptors::serve_spinning(&self.announced()?),
            Who::WaitInSend => slow_reader::wait_in_send(&self.announced()?),
            Who::Hoard => slow_reader::hoard(&self.announced()?),
        }
    }
    // ANCHOR_END: serve

    fn listen_and_limit_options(&self) -> (ListenOptions, LimitOptions) {
        let host = Host::LOCALHOST;
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

/// The options of the hidden `load`.
#[derive(Args, Debug)]
pub(crate) struct Load {
    #[command(flatten)]
    life: Life,

    #[command(flatten)]
    options: load_client::Options,
}

impl Load {
    pub(crate) fn make(&self) -> ExitCode {
        self.life.end_with_parent();
        load_client::run(&self.options)
            .unwrap_or_else(|failure| protocol::exit_code(Err(failure)))
    }
}

/// Whose child this process is.
#[derive(Args, Debug)]
struct Life {
    #[arg(long, value_name = "PID")]
    parent: i32,
}

impl Life {
    /// From here on the kernel kills this process when its parent ends, by
    /// Ctrl-C or however: nothing is left behind. `man 2 prctl`,
    /// `PR_SET_PDEATHSIG`.
    // ANCHOR: life
    fn end_with_parent(&self) {
        let arranged = set_pdeathsig(Signal::SIGKILL);
        // It may have ended before we could ask.
        if arranged.is_err() || getppid() != Pid::from_raw(self.parent) {
            process::exit(1);
        }
    }
    // ANCHOR_END: life
}
