//! A reader's own time line: of any server, for as long as the reader likes.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use nix::sys::signal::{SigSet, Signal};

use crate::assemble::{Recording, assemble};
use crate::client::now;
use crate::model::{Part, Timeline};
use crate::play::TraceFile;
use crate::strace::{OPTIONS, STACKS, parse};
use crate::{perfetto, standalone};

/// More steps than these make a picture that cannot be read. The trace for
/// Perfetto has all.
const MOST: usize = 400;

/// Runs `command` until it ends (Ctrl-C, mostly) and writes what it did into
/// the folder `target`. A command that names a step, such as `04-epoll`, means
/// the binary in the folder `ours`. Returns the files.
///
/// # Errors
/// `strace` is missing or may not trace, the command cannot be started, or it
/// never waited for a client.
pub fn trace(
    command: &[OsString],
    ours: &Path,
    target: &Path,
) -> io::Result<[PathBuf; 2]> {
    if let Some(reason) = harness::strace_unavailable() {
        return Err(io::Error::other(reason));
    }
    let (program, args) = command.split_first().ok_or_else(|| {
        io::Error::other("no command: just trace 04-epoll, for instance")
    })?;
    let own = ours.join(program);
    let program = if own.is_file() { own } else { program.into() };
    let text = run(&program, args)?;
    let words = command.iter().map(|word| word.to_string_lossy());
    let server = words.collect::<Vec<_>>().join(" ");
    let mut part = assemble(&Recording {
        server: server.clone(),
        raw: parse(&text),
        end: now(),
        from_socket: true,
        ..Recording::default()
    });
    if part.steps.is_empty() {
        let what = format!("{server} has called neither socket nor accept");
        return Err(io::Error::other(what));
    }
    fs::create_dir_all(target)?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let file = |ending| target.join(format!("{name}.{ending}"));
    let files = [file("html"), file("perfetto.json")];
    fs::write(&files[1], perfetto::events(&part)?)?;
    let caption = caption(&part);
    part.steps.truncate(MOST);
    let timeline = Timeline {
        name: name.into_owned(),
        title: server,
        story: format!("The calls of {}, in order.", part.server),
        caption,
        clock: false,
        parts: vec![part],
    };
    fs::write(&files[0], standalone(&timeline)?)?;
    Ok(files)
}

fn caption(part: &Part) -> String {
    let all = part.steps.len();
    let cut = if all > MOST {
        format!(" The first {MOST} of {all} steps.")
    } else {
        String::new()
    };
    format!(
        "A hollow bar is a call that waits, a filled one a call that works. \
         The clients are called A, B, C, as they were accepted.{cut}"
    )
}

/// Runs the command under `strace`, in the reader's terminal, to its end.
fn run(program: &Path, args: &[OsString]) -> io::Result<String> {
    let file = TraceFile::new("own");
    let mut command = Command::new("strace");
    command.args(OPTIONS);
    // Of an interpreter, `python3`, no stack leads to a line of the reader's,
    // and it makes thousands of calls before it begins.
    if program.components().nth(1).is_some() {
        command.arg(STACKS);
    }
    command.arg("-o").arg(file.path());
    command.arg(program).args(args);
    let mut server = command.spawn()?;
    // Ctrl-C is for the server. It has been started, and so does not inherit
    // this.
    let mut ours = SigSet::empty();
    ours.add(Signal::SIGINT);
    ours.add(Signal::SIGTERM);
    ours.thread_block()?;
    let pid = server.id().cast_signed();
    let status = server.wait()?;
    if status.code() == Some(1) && status.signal().is_none() {
        let written = fs::metadata(file.path()).is_ok_and(|m| m.len() > 0);
        if !written {
            let what = format!("{} was not started", program.display());
            return Err(io::Error::other(what));
        }
    }
    file.read(pid)
}

/// Where the files go: beside what `cargo` builds.
#[must_use]
pub fn target() -> PathBuf {
    let root = env::current_dir().unwrap_or_default();
    root.join("target/timelines")
}
