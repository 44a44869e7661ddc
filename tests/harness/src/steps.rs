//! The servers of this workspace, in each of their modes.

#[cfg(target_os = "linux")]
use io_uring::{IoUring, cqueue, squeue};

use crate::Launch;

/// The server of the step whose test this is, as its name and the path of the
/// program that Cargo has just built.
///
/// Cargo sets `CARGO_BIN_EXE_…` only for the tests of the package that owns the
/// program. So the steps name the shared tests as their own, and the same file
/// is compiled for each.
#[macro_export]
macro_rules! server_of_this_step {
    () => {
        if let Some(path) = option_env!("CARGO_BIN_EXE_01-blocking") {
            ("01-blocking", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_02-threads") {
            ("02-threads", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_04-epoll") {
            ("04-epoll", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_07-cores") {
            ("07-cores", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_08-async") {
            ("08-async", path)
        } else if let Some(path) = option_env!("CARGO_BIN_EXE_09-uring") {
            ("09-uring", path)
        } else {
            ("no server", "")
        }
    };
}

/// A server in one of its modes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The program's name.
    pub name: &'static str,
    /// Its mode, where it has several.
    pub mode: &'static str,
    /// The options that bring it into that mode.
    pub options: &'static [&'static str],
    /// It serves one client after the other.
    pub one_at_a_time: bool,
    /// Its clients wait in one queue: first come, first served.
    pub one_queue: bool,
    /// What limits its clients: options that it understands.
    pub limits: &'static [&'static str],
}

const LIMITS: &[&str] = &["--max-connections", "--idle-timeout"];

const fn cores(spread: &'static str) -> [&'static str; 4] {
    ["--cores", "2", "--spread", spread]
}

const fn target(
    name: &'static str,
    mode: &'static str,
    options: &'static [&'static str],
) -> Target {
    let (one_at_a_time, one_queue) = (false, true);
    Target { name, mode, options, one_at_a_time, one_queue, limits: LIMITS }
}

const TARGETS: &[Target] = &[
    Target {
        one_at_a_time: true,
        limits: &[],
        ..target("01-blocking", "", &[])
    },
    target("02-threads", "", &[]),
    target("04-epoll", "edge", &["--trigger", "edge"]),
    target("04-epoll", "level", &["--trigger", "level"]),
    Target {
        one_queue: false,
        ..target("07-cores", "reuseport", &cores("reuseport"))
    },
    target("07-cores", "exclusive", &cores("exclusive")),
    target("07-cores", "handover", &cores("handover")),
    target("08-async", "", &[]),
    target("09-uring", "", &[]),
];

/// The servers whose names begin with `prefix`, in each of their modes.
pub fn targets(prefix: &str) -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(move |target| target.name.starts_with(prefix))
}

/// Those of [`targets`] that can run here. Of one that cannot, says why.
pub fn runnable(prefix: &str) -> impl Iterator<Item = &'static Target> {
    let can_run = can_run(prefix);
    targets(prefix).filter(move |_| can_run)
}

/// Whether the server `name` can run here. If not, says why.
#[must_use]
pub fn can_run(name: &str) -> bool {
    let unavailable = rings_unavailable(name);
    if let Some(reason) = &unavailable {
        eprintln!("skipped: {name} {reason}");
    }
    unavailable.is_none()
}

/// Why the server on `io_uring` cannot run here, if it cannot: a kernel may
/// have none, forbid it, or be older than Linux 6.1. The kernel is asked, not
/// the server: one that makes a mistake is not skipped. So it is no failure
/// with `CI=true` either.
#[cfg(target_os = "linux")]
#[must_use]
pub fn rings_unavailable(name: &str) -> Option<String> {
    if name != "09-uring" {
        return None;
    }
    let mut ring = IoUring::<squeue::Entry, cqueue::Entry>::builder();
    ring.setup_single_issuer().setup_defer_taskrun();
    let error = ring.build(8).err()?;
    Some(format!("needs io_uring of Linux 6.1: {error}"))
}

/// Elsewhere there is no such server.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn rings_unavailable(name: &str) -> Option<String> {
    (name == "09-uring").then(|| "needs Linux".to_owned())
}

impl Target {
    /// How to start it, with its program at `path`.
    #[must_use]
    pub fn launch(&self, path: &str) -> Launch {
        launch(path).args(self.options)
    }

    /// The name of a test of it: `sentence`, with the mode before it.
    #[must_use]
    pub fn test_name(&self, sentence: &str) -> String {
        match self.mode {
            "" => sentence.to_owned(),
            mode => format!("{mode}::{sentence}"),
        }
    }
}

/// How to start the server at `path` on a port of the kernel's choice.
#[must_use]
pub fn launch(path: &str) -> Launch {
    Launch::program(path, &["--port", "{port}"])
}
