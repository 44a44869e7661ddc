//! The servers that are compared, each in a process of its own.

use std::net::SocketAddr;
use std::process;

use clap::ValueEnum;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};
use protocol::{Error, Host, LimitOptions, ListenOptions};

/// A server of this workspace.
// ANCHOR: own
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Own {
    /// One client at a time.
    #[value(name = "01-blocking", alias = "01")]
    Blocking,
    /// A thread per client.
    #[value(name = "02-threads", alias = "02")]
    Threads,
    /// One thread for all clients.
    #[value(name = "04-epoll", alias = "04")]
    Epoll,
}

impl Own {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocking => "01-blocking",
            Self::Threads => "02-threads",
            Self::Epoll => "04-epoll",
        }
    }

    /// Is this server, until a signal comes: what the hidden `serve` does. So
    /// the servers that are measured are always those that this program was
    /// built with.
    pub(crate) fn serve(self, parent: i32, backlog: i32) -> Result<(), Error> {
        end_with_parent(parent);
        let host = Host::LOCALHOST;
        let listen = ListenOptions { host, port: 0, backlog, quiet: true };
        let limits = LimitOptions::default();
        match self {
            Self::Blocking => blocking::run(&blocking::Options { listen }),
            Self::Threads => threads::run(&threads::Options { listen, limits }),
            Self::Epoll => {
                let trigger = epoll::Trigger::Edge;
                epoll::run(&epoll::Options { listen, limits, trigger })
            }
        }
    }
}
// ANCHOR_END: own

/// From here on the kernel kills this process when `parent` ends, however that
/// comes about, and after an `exec`, too. (What an external server has started
/// itself outlives a SIGKILL of `parent`.) `man 2 prctl`, `PR_SET_PDEATHSIG`.
pub(crate) fn end_with_parent(parent: i32) {
    let arranged = prctl::set_pdeathsig(Signal::SIGKILL);
    // It may have ended before we could ask.
    if arranged.is_err() || getppid() != Pid::from_raw(parent) {
        process::exit(1);
    }
}

/// One server in the comparison.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// How it is started.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// This program, run with `serve`.
    Own(Own),
    /// A command for the shell.
    External(String),
}

impl Contestant {
    pub(crate) fn own(own: Own) -> Self {
        Self { name: own.name().into(), kind: Kind::Own(own) }
    }

    pub(crate) fn external(name: &str, command: &str) -> Self {
        Self { name: name.into(), kind: Kind::External(command.into()) }
    }

    /// Whether it never looks at a second client while the first is there.
    pub(crate) fn serves_one_at_a_time(&self) -> bool {
        matches!(self.kind, Kind::Own(Own::Blocking))
    }
}

/// The address that a server's first line ends with, in any language.
pub(crate) fn announced_address(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::announced_address;

    #[test]
    fn the_first_line_tells_the_address_in_both_languages() {
        for line in [
            "[*] epoll server listening on 127.0.0.1:8888\n",
            "[*] サーバー起動: 127.0.0.1:8888\n",
        ] {
            let address = announced_address(line).map(|a| a.port());
            assert_eq!(address, Some(8888));
        }
        assert_eq!(announced_address("Segmentation fault\n"), None);
    }
}
