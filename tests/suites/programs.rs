//! One program under many names: the tests of the book and of the time lines
//! contain the servers, which so can never be out of date.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::{env, fs, io};

use clap::Parser;

/// A program's name, and what it does.
pub(crate) type Program = (&'static str, fn() -> ExitCode);

/// What both need.
pub(crate) const SERVERS: [Program; 4] = [
    ("01-blocking", || {
        protocol::exit_code(blocking::run(&blocking::Options::parse()))
    }),
    ("02-threads", || {
        protocol::exit_code(threads::run(&threads::Options::parse()))
    }),
    ("04-epoll", || protocol::exit_code(epoll::run(&epoll::Options::parse()))),
    ("wrong", || faulty::run(&faulty::Options::parse())),
];

/// Runs the program whose name this one was started by, or else `tests`, with
/// a folder of links to itself under those names.
pub(crate) fn run(
    programs: &[Program],
    tests: impl FnOnce(&Path) -> io::Result<ExitCode>,
) -> ExitCode {
    let name = env::args().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default();
    if let Some((_, run)) = programs.iter().find(|(known, _)| *known == name) {
        return run();
    }
    let links = Links::new(programs);
    links.and_then(|links| tests(&links.0)).unwrap_or_else(|error| {
        eprintln!("[!] {error}");
        ExitCode::FAILURE
    })
}

/// A folder with a link for each program; removed in the end.
struct Links(PathBuf);

impl Links {
    fn new(programs: &[Program]) -> io::Result<Self> {
        let name = format!("pingpong-programs-{}", process::id());
        let links = Self(env::temp_dir().join(name));
        fs::create_dir_all(&links.0)?;
        for (name, _) in programs {
            symlink(env::current_exe()?, links.0.join(name))?;
        }
        Ok(links)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
