//! The steps that have stages, and where their files are.

use std::fs;
use std::path::{self, Path, PathBuf};

use clap::ValueEnum;
use conformance::{STAGES, Stage};

use crate::Result;

/// A step that a reader can follow with a server of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// One client at a time.
    #[value(name = "01", alias = "01-blocking")]
    Blocking,
    /// A thread per client.
    #[value(name = "02", alias = "02-threads")]
    Threads,
    /// One thread for all clients.
    #[value(name = "04", alias = "04-epoll")]
    Epoll,
}

impl Step {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 3] =
        [Self::Blocking, Self::Threads, Self::Epoll];

    /// The name of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocking => "01-blocking",
            Self::Threads => "02-threads",
            Self::Epoll => "04-epoll",
        }
    }

    /// Its number, as a word of a command line.
    pub(crate) fn number(self) -> &'static str {
        &self.name()[..2]
    }

    /// Where its stages are.
    pub(crate) fn stages_folder(self) -> PathBuf {
        repository().join("steps").join(self.name()).join("stages")
    }

    /// Its stages in order, each with its program.
    pub(crate) fn stages(self) -> Result<Vec<(&'static Stage, PathBuf)>> {
        let folder = self.stages_folder();
        let entries = fs::read_dir(&folder)
            .map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
        let mut files: Vec<_> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        files.sort();
        let stage = |path: PathBuf| {
            let name = path.file_name()?.to_str()?;
            let number = name.chars().next()?.to_digit(10)?;
            let stage = STAGES.get(number as usize)?;
            name.ends_with(".rs").then_some((stage, path))
        };
        Ok(files.into_iter().filter_map(stage).collect())
    }

    /// The program of stage `number`, and the one before it.
    ///
    /// # Errors
    /// The step has no such stage.
    pub(crate) fn stage(
        self,
        number: usize,
    ) -> Result<(PathBuf, Option<PathBuf>)> {
        let stages = self.stages()?;
        let index = stages.iter().position(|(s, _)| s.number == number);
        let Some(index) = index else {
            let known: Vec<_> =
                stages.iter().map(|(s, _)| s.number.to_string()).collect();
            let (number, known) = (self.number(), known.join(", "));
            return Err(format!("step {number} has the stages {known}"));
        };
        let before = index.checked_sub(1).map(|i| stages[i].1.clone());
        Ok((stages[index].1.clone(), before))
    }
}

/// The folder of the whole workspace.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where a reader's own servers are.
pub(crate) fn mine() -> PathBuf {
    repository().join("mine")
}

/// A path from the folder of the workspace, as the book shows it.
pub(crate) fn shown(path: &Path) -> String {
    let short = path.strip_prefix(repository()).unwrap_or(path);
    short.display().to_string()
}

/// The whole path: a reader may be in any folder.
pub(crate) fn absolute(path: &Path) -> String {
    let whole = path::absolute(path);
    whole.as_deref().unwrap_or(path).display().to_string()
}
