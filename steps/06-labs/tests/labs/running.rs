//! Running a lab, and reading what it saw.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// The program that was built with this test.
pub(crate) const LABS: &str = env!("CARGO_BIN_EXE_06-labs");
/// Longer than any lab takes on the busiest machine.
const TIMEOUT: Duration = Duration::from_secs(100);

/// A lab that compares CPU times or latencies runs alone. The others wait most
/// of the time, for a timer or a reply that does not come, or look at a server
/// that is theirs: they don't disturb each other.
pub(crate) static MACHINE: RwLock<()> = RwLock::new(());
const ALONE: [&str; 3] = ["zero-copy", "pool", "spread"];

/// Where plots go.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("labs")
}

/// The program with these arguments.
pub(crate) fn labs(arguments: &[&str]) -> Command {
    let mut command = Command::new(LABS);
    command.args(arguments).timeout(TIMEOUT).env("LC_ALL", "C");
    command
}

/// What a lab saw.
#[derive(Debug)]
pub(crate) struct Seen(Value);

/// Runs a lab; `None` where this system does not allow it.
pub(crate) fn observe(lab: &str) -> Option<Seen> {
    let alone = ALONE.contains(&lab);
    let _exclusive =
        alone.then(|| MACHINE.write().unwrap_or_else(PoisonError::into_inner));
    let _shared = (!alone)
        .then(|| MACHINE.read().unwrap_or_else(PoisonError::into_inner));
    let folder = folder();
    let folder = folder.to_str().expect("UTF-8");
    let output =
        labs(&[lab, "--json", "--out", folder]).output().expect("the lab runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lab}: {stderr}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 1, "{text}");
    let seen: Value = serde_json::from_str(&text).expect("a JSON object");
    println!("{text}");
    let Some(reason) = seen["skipped"].as_str() else {
        let answer = seen["answer"].as_str().unwrap_or_default();
        assert!(answer.len() > 40, "no answer: {text}");
        return Some(Seen(seen));
    };
    println!("skipped: {reason}");
    assert!(!harness::in_ci() || kernel_forbids(reason), "{lab}: {reason}");
    None
}

/// Whether it is the kernel that has no user namespace for us.
fn kernel_forbids(reason: &str) -> bool {
    reason.contains("see sysctl(8)") || reason.contains("unshare(2)")
}

impl Seen {
    /// The lines of its table, in order.
    pub(crate) fn rows<const N: usize>(&self) -> [&Value; N] {
        let rows = self.0["rows"].as_array().expect("a table");
        let rows: Vec<_> = rows.iter().collect();
        rows.try_into().unwrap_or_else(|rows| panic!("{N} rows: {rows:?}"))
    }

    /// All lines in which `key` is `value`.
    pub(crate) fn rows_with(&self, key: &str, value: &str) -> Vec<&Value> {
        let rows = self.0["rows"].as_array().expect("a table");
        rows.iter().filter(|row| row[key] == value).collect()
    }

    /// A figure beside the table.
    pub(crate) fn value(&self, key: &str) -> &Value {
        &self.0[key]
    }

    /// Whether the counters are this lab's alone.
    pub(crate) fn own_network(&self) -> bool {
        self.0["own_network"] == true
    }
}

/// A number of a row.
pub(crate) fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no {key} in {row}"))
}

/// A plot was written, for light and for dark.
pub(crate) fn assert_plotted(lab: &str) {
    let path = folder().join(format!("{lab}.svg"));
    let plot = std::fs::read_to_string(path).expect("a plot");
    assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n"));
    assert!(plot.contains("prefers-color-scheme:dark"));
    assert!(!plot.contains("NaN") && !plot.contains("inf"), "{plot}");
}
