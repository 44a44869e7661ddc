//! One case: what it is called, what it needs, what explains it.

use std::fmt::{self, Display, Formatter};

use crate::{ServerUnderTest, Stage};
use harness::{CaseError, CaseResult, Server, StdoutReader};

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Bytes in, replies out.
    Protocol,
    /// What other clients do, well-meant or not.
    Peers,
    /// Signals, limits, and what the server prints.
    Process,
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Protocol => "protocol",
            Self::Peers => "peers",
            Self::Process => "process",
        })
    }
}

/// The chapter of the book that explains why a case matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Where a message ends.
    Protocol,
    /// The calls themselves, and how each may fail.
    Blocking,
    /// Many clients, and what they share.
    Threads,
    /// One thread that must never wait for one client.
    Epoll,
}

impl Display for Chapter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Protocol => "00-protocol",
            Self::Blocking => "01-blocking",
            Self::Threads => "02-threads",
            Self::Epoll => "04-epoll",
        })
    }
}

/// What a case cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The server serves many clients at once.
    ManyClients,
    /// It serves one after the other.
    OneClientAtATime,
    /// Its clients wait in one queue: first come, first served.
    OneQueue,
    /// We have started the server, and so may signal it.
    OwnProcess,
    /// And can see its descriptors, threads, memory and processor time.
    Inspection,
    /// The server understands this option.
    Option(&'static str),
    /// We may open so many files.
    Descriptors(u64),
    /// We may start it with signals blocked.
    BlockedSignals,
    /// We may send segments of our own making.
    UrgentGap,
}

/// How a case wants its server started.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaunchOptions {
    pub(crate) options: &'static [&'static str],
    pub(crate) reader: StdoutReader,
    pub(crate) open_files: Option<u32>,
    pub(crate) signals_blocked: bool,
}

/// How a case went.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The server did what it should.
    Passed,
    /// It did not.
    Failed(CaseError),
    /// The case is not about such a server, for this reason.
    NotApplicable(String),
}

/// Something that a server must do, and a way to find out.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// A sentence whose subject is the server.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What explains it.
    pub chapter: Chapter,
    needs: &'static [Requirement],
    setting: LaunchOptions,
    ends_the_server: bool,
    run: fn(&Server) -> CaseResult,
}

impl Case {
    pub(crate) const fn new(
        name: &'static str,
        group: Group,
        chapter: Chapter,
        run: fn(&Server) -> CaseResult,
    ) -> Self {
        let setting = LaunchOptions {
            options: &[],
            reader: StdoutReader::Prompt,
            open_files: None,
            signals_blocked: false,
        };
        Self {
            name,
            group,
            chapter,
            needs: &[],
            setting,
            ends_the_server: false,
            run,
        }
    }

    pub(crate) const fn needs(mut self, needs: &'static [Requirement]) -> Self {
        self.needs = needs;
        self
    }

    pub(crate) const fn options(mut self, o: &'static [&'static str]) -> Self {
        self.setting.options = o;
        self
    }

    pub(crate) const fn reader(mut self, reader: StdoutReader) -> Self {
        self.setting.reader = reader;
        self
    }

    pub(crate) const fn open_files(mut self, limit: u32) -> Self {
        self.setting.open_files = Some(limit);
        self
    }

    pub(crate) const fn signals_blocked(mut self) -> Self {
        self.setting.signals_blocked = true;
        self
    }

    /// No service is expected after this case.
    pub(crate) const fn ends_the_server(mut self) -> Self {
        self.ends_the_server = true;
        self
    }

    /// Its name as a sentence.
    #[must_use]
    pub fn title(&self) -> String {
        self.name.replace('_', " ")
    }

    /// What of the book explains it.
    #[must_use]
    pub fn read(&self, stage: &Stage) -> String {
        let (chapter, stage) = (self.chapter, stage.number);
        format!("chapter {chapter}; \"Write it yourself\", stage {stage}")
    }

    /// Why this case does not apply to `subject`, if it does not.
    #[must_use]
    pub fn does_not_apply_to(
        &self,
        subject: &ServerUnderTest,
    ) -> Option<String> {
        self.needs.iter().find_map(|need| subject.missing(need))
    }

    /// Starts the server and tries it. Whatever the case did, a new client must
    /// be served at its end.
    #[must_use]
    pub fn judge(&self, subject: &ServerUnderTest) -> Verdict {
        if let Some(reason) = self.does_not_apply_to(subject) {
            return Verdict::NotApplicable(reason);
        }
        match subject.start(&self.setting) {
            Err(failure) => Verdict::Failed(failure),
            Ok(server) => match self.run_on(&server) {
                Ok(()) => Verdict::Passed,
                Err(failure) => Verdict::Failed(server.explain(failure)),
            },
        }
    }

    fn run_on(&self, server: &Server) -> CaseResult {
        (self.run)(server)?;
        if self.ends_the_server {
            return Ok(());
        }
        server.still_serves().map_err(|failure| {
            failure.with("when", "a new client came after all this")
        })
    }
}

/// A case whose name is that of its function.
macro_rules! case {
    ($group:ident, $chapter:ident, $run:ident) => {
        $crate::Case::new(
            stringify!($run),
            $crate::Group::$group,
            $crate::Chapter::$chapter,
            $run,
        )
    };
}
pub(crate) use case;
