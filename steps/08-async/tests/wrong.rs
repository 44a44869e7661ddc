//! What goes wrong with futures, and which cases catch it.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use conformance::{Case, ServerUnderTest, Verdict, all_cases};
use harness::Launch;

/// How long to wait for what a wrong server does not do: the right one does it
/// within milliseconds.
const SHORT: Duration = Duration::from_millis(1_200);

/// The example `wrong`, beside the step's own program.
fn program() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_BIN_EXE_08-async")).parent();
    let path = folder.map(|f| f.join("examples/wrong"))?;
    if path.exists() {
        return Some(path);
    }
    assert!(!harness::in_ci(), "the example is not built");
    println!("skipped: the example is not built");
    None
}

fn judge(
    program: &Path,
    mistake: &str,
    case: &Case,
    wait: Duration,
) -> Verdict {
    let launch = Launch::program(program, &[mistake, "--port", "{port}"]);
    case.judge(&ServerUnderTest::command(launch).timeout(wait))
}

fn is_caught_by(mistake: &str, case: &str) -> Result<(), String> {
    let Some(program) = program() else { return Ok(()) };
    let known = all_cases().find(|known| known.name == case);
    let case = known.ok_or(format!("there is no case {case}"))?;
    let verdict = judge(&program, mistake, case, SHORT);
    assert!(matches!(verdict, Verdict::Failed(_)), "it does not fail");
    // The same program without the mistake.
    let verdict = judge(&program, "none", case, harness::TIMEOUT);
    assert!(matches!(verdict, Verdict::Passed), "it fails without a mistake");
    Ok(())
}

#[test]
fn a_waker_that_is_lost_leaves_a_client_waiting() -> Result<(), String> {
    is_caught_by("lost-waker", "reassembles_a_ping_split_across_writes")
}

#[test]
fn the_waker_of_another_task_leaves_a_client_waiting() -> Result<(), String> {
    is_caught_by("wrong-waker", "gives_each_of_100_clients_its_own_replies")
}

#[test]
fn a_call_that_blocks_holds_up_all_clients() -> Result<(), String> {
    is_caught_by("blocking-call", "serves_others_beside_a_silent_client")
}

#[test]
fn a_race_that_drops_a_reader_loses_bytes() -> Result<(), String> {
    is_caught_by("lossy-select", "reassembles_a_ping_split_across_writes")
}

#[test]
fn a_task_that_is_never_pending_starves_all_others() -> Result<(), String> {
    is_caught_by("never-pending", "serves_others_beside_an_endless_sender")
}
