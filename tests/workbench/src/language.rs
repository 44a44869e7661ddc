//! How a server in each language is built and run.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::course::Step;
use crate::{Result, course};

/// A language that a server can be begun in. Any other can be tested, too:
/// `just check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Python,
    C,
    Go,
    Node,
}

impl Language {
    /// The language of the server in `folder`.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let mut all = Self::value_variants().iter().copied();
        all.find(|language| folder.join(language.source()).exists())
    }

    /// The file to write in.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/main.rs",
            Self::Python => "server.py",
            Self::C => "server.c",
            Self::Go => "server.go",
            Self::Node => "server.mjs",
        }
    }

    /// The smallest server, in the stages of a step.
    pub(crate) fn starter(self) -> &'static str {
        match self {
            Self::Rust => "0-article.rs",
            Self::Python => "start.py",
            Self::C => "start.c",
            Self::Go => "start.go",
            Self::Node => "start.mjs",
        }
    }

    /// The program that builds or runs it, and how to ask whether it is there.
    fn tool(self) -> (&'static str, &'static str) {
        match self {
            Self::Rust => ("cargo", "--version"),
            Self::Python => ("python3", "--version"),
            Self::C => ("cc", "--version"),
            Self::Go => ("go", "version"),
            Self::Node => ("node", "--version"),
        }
    }

    /// Whether what builds or runs it is installed.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn is_installed(self) -> Result<()> {
        let (tool, version) = self.tool();
        match Command::new(tool).arg(version).output() {
            Ok(output) if output.status.success() => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("{tool} does not run: {error}"))
            }
            _ => Err(format!("{tool} is missing: install it, and try again")),
        }
    }

    /// It must be built before it runs.
    pub(crate) fn is_compiled(self) -> bool {
        !matches!(self, Self::Python | Self::Node)
    }

    /// Builds the server in `folder`; what is wrong with it stands on stderr.
    ///
    /// # Errors
    /// It does not build.
    pub(crate) fn build(self, folder: &Path) -> Result<()> {
        let (tool, _) = self.tool();
        let arguments: &[&str] = match self {
            Self::Rust => &["build", "--quiet"],
            Self::C => {
                &["-Wall", "-Wextra", "-pthread", "-o", "server", "server.c"]
            }
            Self::Go => &["build", "-o", "server", "."],
            Self::Python | Self::Node => return Ok(()),
        };
        let status = Command::new(tool)
            .args(arguments)
            // Cargo's own variables are about our package, not theirs.
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(folder)
            .status()
            .map_err(|error| format!("{tool} does not run: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let source = course::absolute(&folder.join(self.source()));
        Err(format!("it does not build: mend {source}"))
    }

    /// The command that runs the server in `folder`, as a shell reads it.
    pub(crate) fn command(self, step: Step, folder: &Path) -> String {
        let quoted = |name: &str| {
            let path = folder.join(name).display().to_string();
            format!("'{}'", path.replace('\'', "'\\''"))
        };
        let program = match self {
            Self::Rust => {
                quoted(&format!("target/debug/{}", package_name(step)))
            }
            Self::C | Self::Go => quoted("server"),
            Self::Python => format!("python3 {}", quoted(self.source())),
            Self::Node => format!("node {}", quoted(self.source())),
        };
        // A shell in between would report the end by a signal as its own.
        format!("exec {program} {{port}}")
    }
}

/// The package of a server in Rust, and so the program.
pub(crate) fn package_name(step: Step) -> String {
    format!("my-{}", step.name())
}
