//! A server that cannot have the threads that it needs itself says so in
//! one line, and ends. `man 3 pthread_create`, EAGAIN.
#![cfg(target_os = "linux")]

use std::io;
use std::process::Command;

use harness::{in_ci, server_of_this_step, strace_unavailable};

#[test]
fn ends_with_one_line_where_it_cannot_have_its_threads() -> io::Result<()> {
    if let Some(reason) = strace_unavailable() {
        assert!(!in_ci(), "{reason}, and CI=true");
        eprintln!("skipped: {reason}");
        return Ok(());
    }
    // That for signals, and that for idle clients.
    for (thread, name) in [(1, "signal set-up"), (2, "no thread")] {
        let inject = format!("inject=clone3:error=EAGAIN:when={thread}");
        // A server that starts after all is ended: by this, whatever becomes
        // of strace.
        let server = ["timeout", "10", server_of_this_step!().1];
        let output = Command::new("strace")
            .args(["-f", "-q", "-o", "/dev/null", "-e", "trace=clone3"])
            .args(["-e", &inject])
            .args(server)
            .args(["--port", "0", "--idle-timeout", "5"])
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(output.stdout, b"", "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(name), "{stderr}");
    }
    Ok(())
}
