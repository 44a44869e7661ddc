//! Whom the suite tests, and what it can do.

use std::net::SocketAddr;
use std::time::Duration;

use crate::case::Setting;
use crate::{Failure, Launch, Need, Process, Server};

/// A server to be tested, not started yet where that is for us to do.
#[derive(Clone, Debug)]
pub struct Subject {
    target: Target,
    one_at_a_time: bool,
    options: Vec<String>,
    patience: Duration,
}

#[derive(Clone, Debug)]
enum Target {
    Running(SocketAddr),
    Command(Launch),
}

impl Subject {
    /// A server that runs already and serves many clients at once.
    #[must_use]
    pub fn running(address: SocketAddr) -> Self {
        Self::new(Target::Running(address))
    }

    /// A server that every case starts anew; it serves many clients at once.
    #[must_use]
    pub fn command(launch: Launch) -> Self {
        Self::new(Target::Command(launch))
    }

    fn new(target: Target) -> Self {
        let patience = Duration::from_secs(10);
        let options = Vec::new();
        Self { target, one_at_a_time: false, options, patience }
    }

    /// The server serves one client at a time, as step 01 does.
    #[must_use]
    pub fn one_at_a_time(mut self, yes: bool) -> Self {
        self.one_at_a_time = yes;
        self
    }

    /// The server understands these options of steps 02 and 04:
    /// `--max-connections`, `--idle-timeout`.
    #[must_use]
    pub fn options(mut self, options: &[impl AsRef<str>]) -> Self {
        self.options = options.iter().map(|o| o.as_ref().to_owned()).collect();
        self
    }

    /// How long to wait for anything that the server should do.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Why a case with this need does not apply, if it does not.
    #[must_use]
    pub fn lacks(&self, need: &Need) -> Option<String> {
        let ours = matches!(self.target, Target::Command(_));
        match need {
            Need::ManyClients if self.one_at_a_time => {
                Some("needs many clients at once".into())
            }
            Need::OneClientAtATime if !self.one_at_a_time => {
                Some("for a server of one client at a time".into())
            }
            Need::Inspection if !ours || !Process::can_be_inspected() => {
                Some("needs a server that the suite starts, on Linux".into())
            }
            Need::OwnProcess | Need::Option(_) if !ours => {
                Some("needs a server that the suite starts".into())
            }
            Need::Option(name) if !self.options.iter().any(|o| o == name) => {
                Some(format!("needs the option {name}"))
            }
            Need::Descriptors(count) => crate::limits::too_few_for(*count),
            _ => None,
        }
    }

    /// Starts the server, or finds it.
    ///
    /// # Errors
    /// It does not start; nobody listens.
    pub fn start(&self, setting: &Setting) -> Result<Server, Failure> {
        match &self.target {
            Target::Running(address) => {
                let server = Server::running(*address, self.patience);
                server.connect().map(|_| server)
            }
            Target::Command(launch) => launch
                .clone()
                .args(setting.options)
                .reader(setting.reader)
                .open_files(setting.open_files)
                .start(self.patience),
        }
    }
}
