//! A program where the system has less than it should: in namespaces of its own,
//! in which anything may be changed. `man 7 user_namespaces`.

use std::process::Command;

use crate::in_ci;

/// Hides `/proc`, as some containers do: options of `unshare`, and a command.
pub const HIDE_PROC: [&str; 2] = ["-rm", "mount -t tmpfs none /proc"];
/// Leaves three ports for connections, in a network of its own.
pub const THREE_PORTS: [&str; 2] = [
    "-rn",
    "ip link set lo up && \
     echo 60000 60002 > /proc/sys/net/ipv4/ip_local_port_range",
];

/// What runs `program` behind the shell's `change`, as the superuser of a user
/// namespace and of another one. `None` where there can be none: a reason to
/// skip, which is printed.
///
/// # Panics
/// CI has no `unshare`.
#[must_use]
pub fn changed(
    [namespaces, change]: [&str; 2],
    program: &str,
) -> Option<Command> {
    let script = format!("{change} && exec \"$@\"");
    let unshare = |program| {
        let mut command = Command::new("unshare");
        command.args([namespaces, "sh", "-c", &script, "sh", program]);
        command
    };
    let tried = unshare("true").output();
    if tried.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(unshare(program));
    }
    assert!(tried.is_ok() || !in_ci(), "CI needs unshare(1)");
    println!("skipped: no unshare(1), or no user namespaces");
    None
}
