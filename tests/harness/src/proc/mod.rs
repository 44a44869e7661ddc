//! All that is read from `/proc`: `man 5 proc`.
//!
//! | file | its one idea |
//! |---|---|
//! | `process.rs` | a process: what it holds, uses and does |
//! | `sockets.rs` | TCP's sockets: which listen, and what is on its way |

mod process;
mod sockets;

use std::fs;
use std::path::{Path, PathBuf};

pub use process::Proc;
pub use sockets::nothing_on_the_way_to;
pub(crate) use sockets::{Queues, listening_ports};

/// Why nothing can be read there, if so.
#[must_use]
pub fn proc_unavailable() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        Some("needs Linux, to look into the server's process")
    } else if !Path::new("/proc/self/fd").exists() {
        Some(
            "needs /proc, to look into the server's process, and there is none \
             here: mount -t proc proc /proc",
        )
    } else {
        None
    }
}

/// The text of a file; nothing where there is none.
fn text(file: impl AsRef<Path>) -> String {
    fs::read(file)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The paths in a folder; nothing where there is none.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
