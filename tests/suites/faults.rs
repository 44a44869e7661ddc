//! A part of the matrix of faults against the server of the step that names
//! this test: every call with every error, each in one of the three manners.
//! `just faults` tries all.
//!
//! Where `strace` is missing or forbidden the trials are shown as ignored, and
//! why; with `CI=true` that is a failure.

use std::process::ExitCode;

use harness::steps::{Target, runnable};
use harness::{in_ci, server_of_this_step, strace_unavailable};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use stress::faults::{Fault, matrix, run_trial};

fn main() -> ExitCode {
    let (name, _) = server_of_this_step!();
    let reason = strace_unavailable();
    let trials = runnable(name)
        .flat_map(|target| part_of_the_matrix(target).map(move |f| (target, f)))
        .map(|(target, fault)| trial(target, fault, reason.clone()))
        .collect();
    let mut arguments = Arguments::from_args();
    // Most trials wait more than they work.
    arguments.test_threads.get_or_insert(6);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One manner for each call and error, and each manner in its turn.
fn part_of_the_matrix(target: &'static Target) -> impl Iterator<Item = Fault> {
    let all: Vec<_> = matrix(target).collect();
    let of_one = |a: &Fault, b: &Fault| (a.call, a.error) == (b.call, b.error);
    let rows = all.chunk_by(of_one).enumerate();
    let part: Vec<_> =
        rows.map(|(number, row)| row[number % row.len()]).collect();
    part.into_iter()
}

fn trial(
    target: &'static Target,
    fault: Fault,
    unavailable: Option<String>,
) -> Trial {
    let name = target.test_name(&fault.to_string());
    Trial::ignorable_test(name, move || {
        let (_, path) = server_of_this_step!();
        match unavailable {
            None => run_trial(target, path, &fault)
                .map(|_| Completion::Completed)
                .map_err(Failed::from),
            Some(why) if in_ci() => {
                Err(Failed::from(format!("{why}, and CI=true")))
            }
            Some(why) => Ok(Completion::ignored_with(why)),
        }
    })
}
