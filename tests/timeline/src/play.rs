//! Plays a scene before a server that `strace` watches.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs, io, process};

use harness::{CaseError, Launch, Server, Signal, TIMEOUT, poll_until};

use crate::assemble::{Recording, assemble};
use crate::client::{self, now};
use crate::model::{Part, Timeline};
use crate::scene::{Act, Scene};
use crate::strace::{OPTIONS, Raw, STACKS, parse};
use crate::time_wait::kept;

/// A server whose calls of `setsockopt` do nothing.
const WITHOUT: &str = " without SO_REUSEADDR";
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
    let file = TraceFile::new(&scene.name);
    let server = start(command, ours, &file, with_source)?;
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
    let mut raw = parse(&file.read(process.pid().as_raw())?);
    let mut end = if scene.to_the_end { now() } else { end };
    if scene.starts_again {
        end = start_again(&server, &file, &mut raw)?;
    }

    // What was not really called.
    raw.retain(|call| !call.result.contains("(INJECTED)"));
    let recording = Recording {
        server: command.into(),
        raw,
        played: Some(played),
        end,
        from_socket: scene.from_socket,
        shows_exit: scene.starts_again,
        hides: scene.hides.clone(),
        derives: scene.derives.clone(),
    };
    Ok(assemble(&recording))
}

/// Starts `command` under `strace`.
fn start(
    command: &str,
    ours: &Path,
    file: &TraceFile,
    with_source: bool,
) -> io::Result<Server> {
    let without = command.strip_suffix(WITHOUT);
    let mut words = without.unwrap_or(command).split_whitespace();
    let program = ours.join(words.next().unwrap_or_default());
    let program = program.to_string_lossy();
    let path = file.0.to_string_lossy();
    let mut args = OPTIONS.to_vec();
    args.extend(with_source.then_some(STACKS));
    if without.is_some() {
        // The call returns 0, and does nothing.
        args.extend(["-e", "inject=setsockopt:retval=0"]);
    }
    args.extend(["-o", path.as_ref(), program.as_ref()]);
    args.extend(words);
    args.extend(["--port", "{port}"]);
    if !command.starts_with("wrong ") {
        args.push("--quiet");
    }
    let server = Launch::program("strace", &args).start(TIMEOUT);
    server.map_err(io::Error::other)
}

/// Starts `server` again on its port, and adds its calls to `raw`, as if they
/// were those of the same thread. Returns when the last of them was made.
///
/// # Errors
/// `QuotaExceeded`: the kernel has no room to keep a connection in TIME_WAIT.
fn start_again(
    server: &Server,
    file: &TraceFile,
    raw: &mut Vec<Raw>,
) -> io::Result<f64> {
    if kept(server.address().port())? == 0 {
        let what = "no TIME_WAIT was kept: net.ipv4.tcp_max_tw_buckets";
        return Err(io::Error::new(io::ErrorKind::QuotaExceeded, what));
    }
    fs::remove_file(file.path())?;
    let again = server.start_another_here().map_err(io::Error::other)?;
    let listens_or_ended = || {
        // At first there is none.
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        let calls = parse(&text);
        let listens = calls.iter().any(|call| call.name.starts_with("accept"));
        Ok((listens || again.ended()?.is_some()).then_some(()))
    };
    let ready = poll_until(TIMEOUT, listens_or_ended);
    ready.map_err(io::Error::other)?;
    let end = now();
    if again.ended().map_err(io::Error::other)?.is_none() {
        again.signal(Signal::SIGTERM).map_err(io::Error::other)?;
    }
    again.wait(TIMEOUT).map_err(io::Error::other)?;
    let first = raw.first().map_or(0, |call| call.tid);
    let calls = parse(&file.read(again.pid().as_raw())?);
    raw.extend(calls.into_iter().map(|call| Raw { tid: first, ..call }));
    Ok(end)
}
