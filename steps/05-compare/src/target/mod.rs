//! What is measured: the servers, each started in a process of its own,
//! watched, and ended whole.

pub(crate) mod affinity;
pub mod guard;
pub mod netstat;
pub mod proc;
pub(crate) mod process;
pub(crate) mod usage;

use std::net::SocketAddr;

use clap::ValueEnum;
use protocol::{LimitOptions, ListenOptions, Result as Served};

/// A server of this workspace that is part of this program.
// ANCHOR: built_in
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuiltIn {
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

impl BuiltIn {
    /// Is this server, until a signal comes: what the hidden `serve` does. So
    /// the servers that are measured are always those that this program was
    /// built with.
    pub(crate) fn serve(self, listen: ListenOptions) -> Served<()> {
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
// ANCHOR_END: built_in

/// One server in the comparison.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: TargetKind,
}

/// How it is started.
#[derive(Clone, Debug)]
pub(crate) enum TargetKind {
    /// This program, run with `serve`.
    BuiltIn(BuiltIn),
    /// A command for the shell.
    External(String),
}

impl Target {
    pub(crate) fn built_in(built_in: BuiltIn) -> Self {
        let name = built_in.to_possible_value();
        let name = name.map_or(String::new(), |name| name.get_name().into());
        Self { name, kind: TargetKind::BuiltIn(built_in) }
    }

    /// Reads `NAME=COMMAND`.
    pub(crate) fn external(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, command))
                if !name.is_empty() && !command.is_empty() =>
            {
                let kind = TargetKind::External(command.into());
                Ok(Self { name: name.into(), kind })
            }
            _ => Err("give a name and a command, such as 'mine=./my-server \
                      {port}'"
                .into()),
        }
    }

    /// The program of a later step, which stands beside this one.
    pub(crate) fn beside(name: &str, backlog: i32) -> Result<Self, String> {
        let own = std::env::current_exe().unwrap_or_default();
        let program = own.with_file_name(name);
        if !program.exists() {
            return Err(format!(
                "there is no {}: cargo build --release --bin {name}",
                program.display()
            ));
        }
        let command = format!(
            "'{}' --quiet --backlog {backlog} --port {{port}}",
            program.display()
        );
        let kind = TargetKind::External(command);
        Ok(Self { name: name.into(), kind })
    }

    /// How it is started, in words.
    pub(crate) fn command(&self) -> &str {
        match &self.kind {
            TargetKind::BuiltIn(_) => "built in",
            TargetKind::External(command) => command,
        }
    }

    /// Whether it serves no second client while the first is there.
    pub(crate) fn serves_one_at_a_time(&self) -> bool {
        matches!(self.kind, TargetKind::BuiltIn(BuiltIn::Blocking))
    }
}

/// The address that a server's first line ends with, in any language.
#[must_use]
pub fn announced_address(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().next_back()?.parse().ok()
}
