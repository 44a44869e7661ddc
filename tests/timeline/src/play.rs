//! Plays a scene before a server that `strace` watches.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs, io, process};

use harness::{CaseError, Launch, Signal, TIMEOUT, poll_until};

use crate::assemble::{Recording, assemble};
use crate::client::{self, now};
use crate::model::{Part, Timeline};
use crate::scene::{Act, Scene};
use crate::strace::{OPTIONS, STACKS, parse};

/// So long the figure shows how the server waits after the last client.
const AFTER: Duration = Duration::from_millis(20);

/// Plays `scene` before each of its servers, which are in the folder `ours`.
/// `with_source` finds the line of source that made each call.
///
/// # Errors
/// A server that does not start, a client that does not get its reply, or an
/// order of calls that is not what the scene says.
pub fn play(
    scene: &Scene,
    ours: &Path,
    with_source: bool,
) -> io::Result<Timeline> {
    let mut parts = Vec::new();
    for server in &scene.servers {
        let part =
            play_before(scene, server, ours, with_source).map_err(|error| {
                io::Error::other(format!("{}, {server}: {error}", scene.name))
            })?;
        parts.push(part);
    }
    let timeline = Timeline {
        name: scene.name.clone(),
        title: scene.title.clone(),
        caption: scene.caption.clone(),
        story: scene.story.clone(),
        clock: scene.clock,
        parts,
    };
    Ok(timeline)
}

/// The file that `strace` writes; removed in the end.
pub(crate) struct TraceFile(PathBuf);

impl TraceFile {
    pub(crate) fn new(name: &str) -> Self {
        let file = format!("timeline-{}-{name}.strace", process::id());
        Self(env::temp_dir().join(file))
    }

    /// Waits until the server has closed every connection that it accepted:
    /// what it does for a client belongs to the scene.
    fn wait_until_all_are_closed(&self) -> io::Result<()> {
        let closed = || {
            let text = fs::read_to_string(&self.0);
            let text = text.map_err(CaseError::of("strace's file"))?;
            let mut open = HashSet::new();
            for call in parse(&text) {
                match call.name.as_str() {
                    "accept" | "accept4" => open.extend(call.value()),
                    "close" => {
                        let fd = call.fd().unwrap_or(-1);
                        open.remove(&i64::from(fd));
                    }
                    _ => {}
                }
            }
            Ok(open.iter().all(|fd| *fd < 0).then_some(()))
        };
        let closed = poll_until(TIMEOUT, closed).map_err(io::Error::other)?;
        closed.ok_or_else(|| io::Error::other("a connection is not closed"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The trace, once `strace` has written the end of process `pid`.
    pub(crate) fn read(&self, pid: i32) -> io::Result<String> {
        let head = format!("{pid} ");
        let read = || {
            let text = fs::read_to_string(&self.0);
            let text = text.map_err(CaseError::of("strace's file"))?;
            let ended = text.lines().rev().any(|line| {
                line.starts_with(&head)
                    && (line.contains(" +++ ") || line.contains("exit_group("))
            });
            Ok(ended.then_some(text))
        };
        let text = poll_until(TIMEOUT, read).map_err(io::Error::other)?;
        text.ok_or_else(|| io::Error::other("strace did not end"))
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn play_before(
    scene: &Scene,
    command: &str,
    ours: &Path,
    with_source: bool,
) -> io::Result<Part> {
    let mut words = command.split_whitespace();
    let program = ours.join(words.next().unwrap_or_default());
    let program = program.to_string_lossy();
    let file = TraceFile::new(&scene.name);
    let path = file.0.to_string_lossy();
    let mut args = OPTIONS.to_vec();
    args.extend(with_source.then_some(STACKS));
    args.extend(["-o", path.as_ref(), program.as_ref()]);
    args.extend(words);
    args.extend(["--port", "{port}"]);
    if !command.starts_with("wrong ") {
        args.push("--quiet");
    }
    let server = Launch::program("strace", &args).start(TIMEOUT);
    let server = server.map_err(io::Error::other)?;
    let process = server.process().map_err(io::Error::other)?;

    let played = client::play(scene, server.address(), process)?;
    let signals_itself = scene
        .actors
        .iter()
        .any(|actor| actor.acts.contains(&Act::Signal("TERM".into())));
    if !signals_itself {
        file.wait_until_all_are_closed()?;
    }
    sleep(AFTER);
    let end = now();
    if !signals_itself {
        process.signal(Signal::SIGTERM).map_err(io::Error::other)?;
    }
    process.wait(TIMEOUT).map_err(io::Error::other)?;
    let text = file.read(process.pid().as_raw())?;

    let recording = Recording {
        server: command.into(),
        raw: parse(&text),
        played: Some(played),
        end: if scene.to_the_end { now() } else { end },
        from_socket: scene.from_socket,
        hides: scene.hides.clone(),
    };
    Ok(assemble(&recording))
}
