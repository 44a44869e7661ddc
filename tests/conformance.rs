//! The conformance suite against the server of the step that names this test.
//!
//! Each case is a test of its own, with a server of its own. Those that are
//! not about such a server are shown as ignored, and why.

use std::process::ExitCode;

use conformance::{
    Case, Subject, Verdict, all_cases, server_of_this_step, steps,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    let (name, path) = server_of_this_step!();
    let trials = steps::subjects(name, path)
        .into_iter()
        .flat_map(|(mode, subject)| all_trials(mode, &subject))
        .collect();
    let mut arguments = Arguments::from_args();
    // Most cases wait more than they work.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn all_trials(mode: &str, subject: &Subject) -> Vec<Trial> {
    all_cases().map(|case| trial(mode, subject.clone(), case)).collect()
}

fn trial(mode: &str, subject: Subject, case: &'static Case) -> Trial {
    let prefix = if mode.is_empty() { "" } else { "::" };
    let name = format!("{mode}{prefix}{}::{}", case.group, case.name);
    Trial::ignorable_test(name, move || match case.judge(&subject) {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::NotApplicable(why) => Ok(Completion::ignored_with(why)),
        Verdict::Failed(failure) => Err(Failed::from(format!(
            "{failure}\n  {:<10}{}",
            "chapter:", case.chapter
        ))),
    })
}
