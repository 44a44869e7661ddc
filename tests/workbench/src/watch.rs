//! Waits until a source file has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use conformance::Runner;
use notify::{
    Config, Event, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher,
};

use crate::Result;

/// A save may be several changes: the last of them counts.
const SETTLE: Duration = Duration::from_millis(100);
/// How long the file system may take to report a change.
const PROBE: Duration = Duration::from_secs(1);
/// How often to look where it reports none.
const POLL: Duration = Duration::from_millis(500);
/// What a server is written in.
const SOURCES: [&str; 9] =
    ["rs", "toml", "py", "c", "h", "go", "mod", "js", "mjs"];

/// Changes of the files in a folder.
pub(crate) struct Changes {
    folder: PathBuf,
    shared: Arc<Shared>,
    /// Reports for as long as it is there.
    _watcher: Box<dyn Watcher>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Something in the folder has changed, be it a source file or not.
    touched: bool,
    /// What the running check saw of the source files.
    seen: Vec<(PathBuf, SystemTime)>,
    /// The check that a change makes useless.
    running: Option<Arc<Runner>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self, folder: &Path) {
        let mut state = self.state();
        state.touched = true;
        if let Some(runner) = &state.running
            && sources(folder) != state.seen
        {
            runner.cancel();
        }
        self.changed.notify_all();
    }
}

impl Changes {
    /// Begins to watch `folder`, by what the file system reports; where it
    /// reports nothing (a network or a shared folder), by looking.
    ///
    /// # Errors
    /// The folder cannot be watched.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let folder = folder.to_owned();
        let failed = |error| format!("cannot watch the folder: {error}");
        let handler = |shared: &Arc<Shared>| {
            let (shared, folder) = (Arc::clone(shared), folder.clone());
            move |event: notify::Result<Event>| {
                // To look at the files is an event, too.
                if !event.is_ok_and(|event| event.kind.is_access()) {
                    shared.touch(&folder);
                }
            }
        };
        let reported =
            RecommendedWatcher::new(handler(&shared), Config::default())
                .and_then(|mut watcher| {
                    watch(&mut watcher, &folder).map(|()| watcher)
                });
        if let Ok(watcher) = reported
            && reports(&folder, &shared)
        {
            return Ok(Self { folder, shared, _watcher: Box::new(watcher) });
        }
        let config = Config::default().with_poll_interval(POLL);
        let mut watcher =
            PollWatcher::new(handler(&shared), config).map_err(failed)?;
        watch(&mut watcher, &folder).map_err(failed)?;
        Ok(Self { folder, shared, _watcher: Box::new(watcher) })
    }

    /// A check begins: what changes from now on makes it useless.
    pub(crate) fn begin(&self) {
        let seen = sources(&self.folder);
        *self.shared.state() = State { seen, ..State::default() };
    }

    /// A change cancels `runner`.
    pub(crate) fn cancels(&self, runner: &Arc<Runner>) {
        self.shared.state().running = Some(Arc::clone(runner));
        // What changed while it was built counts as well.
        self.shared.touch(&self.folder);
    }

    /// Waits until a source file is another than when the check began.
    pub(crate) fn wait(&self) {
        let mut state = self.shared.state();
        while sources(&self.folder) == state.seen {
            let changed = &self.shared.changed;
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        loop {
            state.touched = false;
            let changed = &self.shared.changed;
            let result = changed
                .wait_timeout_while(state, SETTLE, |state| !state.touched)
                .unwrap_or_else(PoisonError::into_inner);
            if result.1.timed_out() {
                return;
            }
            state = result.0;
        }
    }
}

/// The folder itself and its sources: not what a compiler writes.
fn watch(watcher: &mut impl Watcher, folder: &Path) -> notify::Result<()> {
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    let source = folder.join("src");
    if source.exists() {
        watcher.watch(&source, RecursiveMode::Recursive)?;
    }
    Ok(())
}

/// Whether a change is reported at all: makes one, and waits for it.
fn reports(folder: &Path, shared: &Shared) -> bool {
    let probe = folder.join(".watched");
    let made = fs::write(&probe, "").is_ok();
    let state = shared.state();
    let result =
        shared.changed.wait_timeout_while(state, PROBE, |s| !s.touched);
    let _ = fs::remove_file(&probe);
    made && result.is_ok_and(|(state, _)| state.touched)
}

/// The source files of a server, each with the time of its last change.
fn sources(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("src")] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        files.extend(entries.filter_map(|entry| {
            let path = entry.path();
            let extension = path.extension()?.to_str()?;
            let is_source = SOURCES.contains(&extension);
            let time = entry.metadata().ok()?.modified().ok()?;
            is_source.then_some((path, time))
        }));
    }
    files.sort();
    files
}

/// When a server was changed last.
pub(crate) fn last_change(folder: &Path) -> Option<SystemTime> {
    sources(folder).into_iter().map(|(_, time)| time).max()
}
