//! The server that the suite tests, and what it can do.

use std::net::SocketAddr;
use std::time::Duration;

use crate::Requirement;
use crate::case::LaunchOptions;
use harness::steps::Target;
use harness::{CaseError, Launch, Server, TIMEOUT, proc_unavailable};

/// A server to be tested, not started yet where that is for us to do.
#[derive(Clone, Debug)]
pub struct ServerUnderTest {
    how: How,
    one_at_a_time: bool,
    one_queue: bool,
    options: Vec<String>,
    timeout: Duration,
    start_timeout: Duration,
}

#[derive(Clone, Debug)]
enum How {
    Running(SocketAddr),
    Command(Launch),
}

impl ServerUnderTest {
    /// A server that runs already and serves many clients at once.
    #[must_use]
    pub fn running(address: SocketAddr) -> Self {
        Self::new(How::Running(address))
    }

    /// A server that every case starts anew; it serves many clients at once.
    #[must_use]
    pub fn command(launch: Launch) -> Self {
        Self::new(How::Command(launch))
    }

    fn new(how: How) -> Self {
        let options = Vec::new();
        Self {
            how,
            one_at_a_time: false,
            one_queue: true,
            options,
            timeout: TIMEOUT,
            start_timeout: TIMEOUT,
        }
    }

    /// A server of this workspace, with its program at `path`.
    #[must_use]
    pub fn step(target: &Target, path: &str) -> Self {
        Self::command(target.launch(path))
            .one_at_a_time(target.one_at_a_time)
            .one_queue(target.one_queue)
            .options(target.limits)
    }

    /// Its clients wait in one queue: not so where several sockets listen.
    #[must_use]
    pub fn one_queue(mut self, yes: bool) -> Self {
        self.one_queue = yes;
        self
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
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long to wait for it to listen: a runtime may take its time.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long to wait for anything that the server should do.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.timeout
    }

    /// Every case starts it anew.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.how, How::Command(_))
    }

    /// It does not start, or does not listen any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.start(&LaunchOptions::default()).is_err()
    }

    /// Why a case with this need does not apply, if it does not.
    #[must_use]
    pub fn missing(&self, need: &Requirement) -> Option<String> {
        let ours = matches!(self.how, How::Command(_));
        match need {
            Requirement::ManyClients if self.one_at_a_time => {
                Some("needs many clients at once".into())
            }
            Requirement::OneClientAtATime if !self.one_at_a_time => {
                Some("for a server of one client at a time".into())
            }
            Requirement::OneQueue if !self.one_queue => {
                Some("needs one queue in which clients wait".into())
            }
            Requirement::Inspection if ours => {
                proc_unavailable().map(Into::into)
            }
            Requirement::Inspection => {
                Some("needs a server that the suite starts".into())
            }
            Requirement::OwnProcess | Requirement::Option(_) if !ours => {
                Some("needs a server that the suite starts".into())
            }
            Requirement::Option(name)
                if !self.options.iter().any(|o| o == name) =>
            {
                Some(format!("needs the option {name}"))
            }
            Requirement::Descriptors(count) => harness::too_few_for(*count),
            Requirement::BlockedSignals => {
                harness::blocking_signals_unavailable()
            }
            Requirement::UrgentGap => harness::urgent_gap_unavailable(),
            _ => None,
        }
    }

    /// Starts the server, or finds it.
    ///
    /// # Errors
    /// It does not start, or does not listen.
    pub fn start(&self, setting: &LaunchOptions) -> Result<Server, CaseError> {
        match &self.how {
            How::Running(address) => {
                let server = Server::running(*address, self.timeout);
                server.connect().map(|_| server)
            }
            How::Command(launch) => launch
                .clone()
                .args(setting.options)
                .reader(setting.reader)
                .open_files(setting.open_files)
                .signals_blocked(setting.signals_blocked)
                .start(self.start_timeout)
                .map(|server| server.with_timeout(self.timeout)),
        }
    }
}
