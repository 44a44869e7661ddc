//! The suite is itself tested: wrong servers, and the cases that catch them.
//!
//! `src/` has them, and says which cases each must fail.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::path::Path;

    use libtest_mimic::{Arguments, Failed, Trial};

    let mut arguments = Arguments::from_args();
    // Most cases wait more than they work.
    arguments.test_threads.get_or_insert(6);
    let trials = faulty::ALL.iter().map(|wrong| {
        Trial::test(wrong.name, || {
            let program = Path::new(env!("CARGO_BIN_EXE_wrong"));
            wrong.judge(program).map_err(Failed::from)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("skipped: the wrong servers need Linux, which has epoll(7)");
}
