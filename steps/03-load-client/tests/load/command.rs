//! Running the client.

use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;

/// The client's binary: the one that was built with this test.
const CLIENT: &str = env!("CARGO_BIN_EXE_03-load-client");
/// Longer than any run here takes on the busiest machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The client in English, on `port`. More arguments may follow.
pub(crate) fn client(port: u16) -> Command {
    let mut command = Command::from_std(plain(port));
    command.timeout(TIMEOUT);
    command
}

/// The same for a test that needs its process while it runs.
pub(crate) fn plain(port: u16) -> std::process::Command {
    let mut command = std::process::Command::new(CLIENT);
    command.env_remove("LC_MESSAGES").env("LC_ALL", "C.UTF-8");
    command.args(["--port", &port.to_string()]);
    command.stdin(Stdio::null());
    command
}

/// The client with these arguments and no others.
pub(crate) fn client_with(arguments: &[&str]) -> Command {
    let mut command = Command::new(CLIENT);
    command.args(arguments).timeout(TIMEOUT);
    command
}

/// What the client printed on stdout.
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("the client runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs the client with `--json` and reads what it prints.
pub(crate) fn json(command: &mut Command) -> serde_json::Value {
    let text = stdout(command.arg("--json"));
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("a JSON object")
}
