//! The binaries of the steps, as names for this one program.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

/// A folder with one link per program, all to the program that runs.
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    pub(crate) fn new<const N: usize>(names: [&str; N]) -> io::Result<Self> {
        let name = format!("pingpong-book-{}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        for name in names {
            link(&env::current_exe()?, &folder.join(name))?;
        }
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn link(original: &Path, name: &Path) -> io::Result<()> {
    let _ = fs::remove_file(name);
    std::os::unix::fs::symlink(original, name)
}
