//! The conformance suite against the server of the step that names this test.
//!
//! Each case is a test of its own, with a server of its own. Those that are
//! not about such a server are shown as ignored, and why.

use std::process::ExitCode;

use conformance::{Case, ServerUnderTest, Verdict, all_cases};
use harness::server_of_this_step;
use harness::steps::{Target, runnable};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    let (name, path) = server_of_this_step!();
    let trials = runnable(name).flat_map(|target| all_trials(target, path));
    let trials = trials.collect();
    let mut arguments = Arguments::from_args();
    // Most cases wait more than they work.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn all_trials(target: &Target, path: &str) -> Vec<Trial> {
    let server = ServerUnderTest::step(target, path);
    let trial = |case| trial(target, server.clone(), case);
    all_cases().map(trial).collect()
}

fn trial(
    target: &Target,
    server: ServerUnderTest,
    case: &'static Case,
) -> Trial {
    let name = target.test_name(&format!("{}::{}", case.group, case.name));
    Trial::ignorable_test(name, move || match case.judge(&server) {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::NotApplicable(why) => Ok(Completion::ignored_with(why)),
        Verdict::Failed(failure) => Err(Failed::from(format!(
            "{failure}\n  {:<10}{}",
            "chapter:", case.chapter
        ))),
    })
}
