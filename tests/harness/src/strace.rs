//! Whether `strace` can make system calls fail here.

use std::process::{Command, Stdio};

/// Why no fault can be injected here, if none can.
#[must_use]
pub fn strace_unavailable() -> Option<String> {
    let silent = |args: &[&str]| {
        let mut command = Command::new("strace");
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !cfg!(target_os = "linux") {
        Some("needs strace, and so Linux".into())
    } else if !silent(&["-V"]) {
        Some("needs strace, which is not installed".into())
    } else if !silent(&["-o", "/dev/null", "true"]) {
        Some("needs ptrace(2), which is forbidden here".into())
    } else {
        None
    }
}
