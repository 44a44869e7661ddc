//! The servers, each in a process of its own: started, watched, ended whole.

pub(crate) mod affinity;
pub mod guard;
pub mod netstat;
pub mod proc;
pub(crate) mod process;
pub(crate) mod usage;

use std::path::PathBuf;

use clap::ValueEnum;

/// A server of this workspace that is part of this program.
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
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or(String::new(), |value| value.get_name().into())
    }

    /// Is this server, until a signal comes: what the hidden `serve` does. So
    /// what is measured is always what this program was built with.
    pub(crate) fn serve(self, options: epoll::Options) -> protocol::Result<()> {
        let epoll::Options { listen, limits, .. } = options.clone();
        match self {
            Self::Blocking => blocking::run(&blocking::Options { listen }),
            Self::Threads => threads::run(&threads::Options { listen, limits }),
            Self::Epoll => epoll::run(&options),
        }
    }
}

/// One server in the comparison.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// For the shell; `{port}` stands for the port to listen on.
    pub(crate) command: String,
    /// It serves no second client while the first is there.
    pub(crate) one_at_a_time: bool,
}

impl Target {
    fn new(name: &str, command: String) -> Self {
        Self { name: name.into(), command, one_at_a_time: false }
    }

    /// This very program, even if it has been built anew in the meantime.
    pub(crate) fn built_in(server: BuiltIn, backlog: i32) -> Self {
        let program = format!("/proc/{}/exe serve", std::process::id());
        let name = server.name();
        let command = format!("{program} {name} {}", options(backlog));
        let one_at_a_time = server == BuiltIn::Blocking;
        Self { one_at_a_time, ..Self::new(&name, command) }
    }

    /// The program of a later step, which stands beside this one.
    pub(crate) fn beside(name: &str, backlog: i32) -> Result<Self, String> {
        let program = program_beside(name)?;
        let command = format!("'{}' {}", program.display(), options(backlog));
        Ok(Self::new(name, command))
    }

    /// Reads `NAME=COMMAND`.
    pub(crate) fn external(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, command))
                if !name.is_empty() && !command.is_empty() =>
            {
                Ok(Self::new(name, command.into()))
            }
            _ => Err("give a name and a command, such as 'mine=./my-server \
                      {port}'"
                .into()),
        }
    }
}

fn options(backlog: i32) -> String {
    format!("--quiet --backlog {backlog} --port {{port}}")
}

/// A program that was built with this one, and so stands beside it. Where it
/// does not, the error says how to build it.
pub fn program_beside(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().unwrap_or_default();
    let program = own.with_file_name(name);
    match program.exists() {
        true => Ok(program),
        false => Err(format!(
            "there is no {}: cargo build --release --bin {name}",
            program.display()
        )),
    }
}
