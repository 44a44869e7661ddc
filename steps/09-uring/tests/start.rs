//! A kernel that has no `io_uring`, or forbids it: one line, and what to do.
#![cfg(target_os = "linux")]

use std::io;
use std::process::Command;

use harness::{in_ci, steps, strace_unavailable};

/// What the server says, and its exit status, where `call` fails with `error`.
fn start(call: &str, error: &str) -> io::Result<(Option<i32>, String, String)> {
    let inject = format!("inject={call}:error={error}");
    let output = Command::new("strace")
        .args(["-f", "-q", "-o", "/dev/null", "-e"])
        .args([&format!("trace={call}"), "-e", &inject])
        // A server that starts after all is ended: by this, whatever becomes
        // of strace.
        .args(["timeout", "10", env!("CARGO_BIN_EXE_09-uring"), "--port", "0"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Ok((output.status.code(), stdout, stderr))
}

/// Whether faults can be injected here; if not, says why.
fn can_inject() -> bool {
    if !steps::can_run("09-uring") {
        return false;
    }
    let Some(reason) = strace_unavailable() else { return true };
    assert!(!in_ci(), "{reason}, and CI=true");
    eprintln!("skipped: {reason}");
    false
}

#[test]
fn says_in_one_line_that_there_are_no_rings_and_what_to_do() -> io::Result<()> {
    if !can_inject() {
        return Ok(());
    }
    for (call, error) in [
        ("io_uring_setup", "ENOSYS"),
        ("io_uring_setup", "EPERM"),
        ("io_uring_setup", "EINVAL"),
        ("io_uring_register", "EINVAL"),
    ] {
        let (status, stdout, stderr) = start(call, error)?;
        assert_eq!(status, Some(1), "{call}: {error}: {stderr}");
        assert_eq!(stdout, "", "{call}: {error}");
        assert_eq!(stderr.lines().count(), 1, "{call}: {error}: {stderr}");
        assert!(stderr.starts_with("[!] io_uring failed: "), "{stderr}");
        for hint in ["kernel.io_uring_disabled", "Linux 6.1", "04-epoll"] {
            assert!(stderr.contains(hint), "{call}: {error}: {stderr}");
        }
    }
    Ok(())
}

#[test]
fn says_in_one_line_what_else_keeps_it_from_starting() -> io::Result<()> {
    if !can_inject() {
        return Ok(());
    }
    for (call, error) in [
        ("io_uring_setup", "ENOMEM"),
        ("io_uring_setup", "EMFILE"),
        ("io_uring_register", "ENOMEM"),
    ] {
        let (status, _, stderr) = start(call, error)?;
        assert_eq!(status, Some(1), "{call}: {error}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{call}: {error}: {stderr}");
        assert!(stderr.starts_with("[!] io_uring failed: "), "{stderr}");
        assert!(!stderr.contains("04-epoll"), "{stderr}");
        assert_eq!(stderr.contains("ulimit -l"), error == "ENOMEM", "{stderr}");
    }
    Ok(())
}
