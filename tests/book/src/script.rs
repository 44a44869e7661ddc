//! A session as data: who types what into which terminal, and what to await.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One step of a session. Terminals have the numbers that the book shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// `1 $ just run 04-epoll`: types a command at the prompt.
    Run(usize, String),
    /// `2 > ping`: types a line into the program that runs.
    Type(usize, String),
    /// `2 >> pi`: types without Enter at the end.
    TypeOn(usize, String),
    /// `2 ^C`: presses Ctrl and this key.
    Press(usize, char),
    /// `1 < listening on`: waits until the terminal shows a line with this,
    /// to its end.
    Await(usize, String),
    /// `1 << accept(`: waits until it shows this in a line without an end yet.
    AwaitPart(usize, String),
    /// `2 .`: waits until the program has ended.
    End(usize),
    /// `until COMMAND`: repeats a command, unseen, until it succeeds.
    Until(String),
}

/// A session: `book/sessions/NAME.session`.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What its files are called.
    pub name: String,
    /// `needs nc ss`: tools without which it cannot be played.
    pub(crate) needs: Vec<String>,
    /// `shows 3`: of all its terminals the book shows these. None: all.
    pub(crate) shows: Vec<usize>,
    /// `figures vary`: a comparison takes any number for any other.
    pub figures_vary: bool,
    /// `order varies`: a comparison takes the lines in any order, and so the
    /// clients' ports, which have numbers by it.
    pub order_varies: bool,
    /// `recorded only`: it measures, and so is not played by `cargo test`.
    pub recorded_only: bool,
    /// `draws target/plots/pool.svg`: a file that it writes; the book shows
    /// the one of the recorded run.
    pub drawing: Option<PathBuf>,
    pub(crate) acts: Vec<Act>,
}

impl Session {
    /// All sessions of the book, by name.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that makes no sense.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut sessions = Vec::new();
        for entry in fs::read_dir(super::book().join("sessions"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "session") {
                sessions.push(Self::read(&path)?);
            }
        }
        sessions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sessions)
    }

    fn read(path: &Path) -> io::Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut session = Self { name: name.into_owned(), ..Self::default() };
        for (index, line) in fs::read_to_string(path)?.lines().enumerate() {
            session.take(line).ok_or_else(|| {
                let at = format!("{}:{}: {line}", path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, at)
            })?;
        }
        Ok(session)
    }

    /// The numbers of the terminals that the book shows, in order.
    #[must_use]
    pub fn terminals(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = self
            .acts
            .iter()
            .filter_map(|act| match act {
                Act::Run(number, _) if self.is_shown(*number) => Some(*number),
                _ => None,
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    pub(crate) fn is_shown(&self, terminal: usize) -> bool {
        self.shows.is_empty() || self.shows.contains(&terminal)
    }

    /// The first tool that it needs and this machine missing.
    #[must_use]
    pub fn missing_tool(&self) -> Option<&str> {
        let always = ["setsid"]; // see `terminal.rs`
        let needed = self.needs.iter().map(String::as_str);
        always.into_iter().chain(needed).find(|tool| !super::installed(tool))
    }

    /// Reads one line of the script; `None` where it makes no sense.
    fn take(&mut self, line: &str) -> Option<()> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Some(());
        }
        match line.split_once(' ')? {
            ("needs", tools) => {
                self.needs.extend(tools.split_whitespace().map(Into::into));
            }
            ("shows", numbers) => {
                for number in numbers.split_whitespace() {
                    self.shows.push(number.parse().ok()?);
                }
            }
            ("figures", "vary") => self.figures_vary = true,
            ("order", "varies") => self.order_varies = true,
            ("recorded", "only") => self.recorded_only = true,
            ("draws", file) => {
                self.drawing = Some(super::book().join("..").join(file));
            }
            ("until", command) => self.acts.push(Act::Until(command.into())),
            (number, act) => {
                self.acts.push(Self::act(number.parse().ok()?, act)?);
            }
        }
        Some(())
    }

    fn act(terminal: usize, act: &str) -> Option<Act> {
        let (kind, text) = act.split_once(' ').unwrap_or((act, ""));
        Some(match kind {
            "$" => Act::Run(terminal, text.into()),
            ">" => Act::Type(terminal, text.into()),
            ">>" => Act::TypeOn(terminal, text.into()),
            "<" => Act::Await(terminal, text.into()),
            "<<" => Act::AwaitPart(terminal, text.into()),
            "." => Act::End(terminal),
            _ => Act::Press(terminal, kind.strip_prefix('^')?.chars().next()?),
        })
    }
}
