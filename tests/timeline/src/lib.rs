//! # Time lines: from a trace of a server to a figure
//!
//! A scene says what two or three clients do. It is played before a server that
//! `strace` watches, and what the two have recorded becomes one list of steps:
//! the calls of the server and of the clients, when they began and returned,
//! which client each concerns, and what the kernel then holds. The figure is
//! drawn from that list, and a script in the page steps through it.
//!
//! | file | its one idea |
//! |---|---|
//! | `scene.rs` | what the clients do, and what must come of it |
//! | `client.rs` | clients that note when they did what |
//! | `play.rs` | a server under `strace`, and the clients of a scene |
//! | `strace.rs` | from the text of a trace to calls |
//! | `names.rs` | what a descriptor is at a time |
//! | `assemble.rs` | both recordings become one list of steps |
//! | `derive.rs` | what the kernel holds, as it follows from the calls |
//! | `rings.rs`, `time_wait.rs` | the same for `io_uring`, and for the end |
//! | `elf.rs`, `source.rs` | from an address in a program to a line of its source |
//! | `model.rs` | the steps, as they are kept |
//! | `check.rs` | whether a recording is that of its scene |
//! | `sequence.rs`, `clock.rs`, `svg.rs` | the picture |
//! | `page.rs` | the picture with its caption and its data |
//! | `trace.rs`, `perfetto.rs` | the same for a server of the reader's own |
#![cfg(target_os = "linux")]

mod assemble;
pub mod check;
mod client;
mod clock;
mod derive;
mod elf;
mod model;
mod names;
mod page;
mod perfetto;
mod play;
mod rings;
mod scene;
mod sequence;
mod source;
mod strace;
mod svg;
mod time_wait;
mod trace;

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use model::{Code, Kernel, Part, Step, Timeline};
pub use page::{figure, standalone};
pub use play::play;
pub use scene::Scene;
pub use trace::{target, trace};

/// The folder of the scenes in this workspace.
#[must_use]
pub fn scenes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/timelines")
}

/// Where the recording of a scene is kept.
#[must_use]
pub fn data_file(scene: &str) -> PathBuf {
    scenes().join(format!("{scene}.json"))
}

/// Where the figure is kept that the pages include.
#[must_use]
pub fn figure_file(scene: &str) -> PathBuf {
    scenes().join(format!("{scene}.html"))
}

/// The root of this workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Timeline {
    /// What was recorded of a scene.
    ///
    /// # Errors
    /// There is no recording, or it is one of another kind.
    pub fn read(scene: &str) -> io::Result<Self> {
        let path = data_file(scene);
        let say = |error: io::Error| {
            io::Error::other(format!("{}: {error}", path.display()))
        };
        let text = fs::read_to_string(&path).map_err(say)?;
        serde_json::from_str(&text).map_err(|error| say(error.into()))
    }
}
