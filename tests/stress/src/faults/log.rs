//! What `strace` wrote down: a line a call, the thread's number before it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use nix::unistd::Pid;

/// A file of its own, which is gone with this value.
#[derive(Debug)]
pub(super) struct TraceLog {
    pub(super) path: PathBuf,
}

impl TraceLog {
    pub(super) fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("ping-pong-faults-{}-{number}", process::id());
        Self { path: env::temp_dir().join(name) }
    }

    fn text(&self) -> String {
        let bytes = fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How many calls were given the answer that we chose.
    pub(super) fn injected(&self) -> usize {
        injected(&self.text())
    }

    /// How the process ended, in `strace`'s words: `exited with 0`, or `killed
    /// by SIGSEGV`.
    pub(super) fn end_of(&self, pid: Pid) -> Option<String> {
        end_of(&self.text(), pid)
    }
}

impl Drop for TraceLog {
    fn drop(&mut self) {
        // It is not there where `strace` never started.
        let _ = fs::remove_file(&self.path);
    }
}

fn injected(log: &str) -> usize {
    log.matches("(INJECTED)").count()
}

fn end_of(log: &str, pid: Pid) -> Option<String> {
    let number = pid.to_string();
    log.lines().rev().find_map(|line| {
        let rest = line.strip_prefix(&number)?.trim();
        Some(rest.strip_prefix("+++ ")?.strip_suffix(" +++")?.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::{end_of, injected};

    const LOG: &str = "\
        12  recvfrom(5, \"\", 4096, 0, NULL, NULL) = 0\n\
        12  recvfrom(5, 0x7f, 4096, 0, NULL, NULL) = -1 EINTR \
        (Interrupted system call) (INJECTED)\n\
        123 +++ exited with 1 +++\n\
        12  +++ exited with 0 +++\n";

    #[test]
    fn counts_what_was_injected() {
        assert_eq!(injected(LOG), 1);
    }

    #[test]
    fn tells_one_thread_from_another() {
        let end = |pid| end_of(LOG, Pid::from_raw(pid));
        assert_eq!(end(12).as_deref(), Some("exited with 0"));
        assert_eq!(end(123).as_deref(), Some("exited with 1"));
        assert_eq!(end(1), None);
    }
}
