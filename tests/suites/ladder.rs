//! The step's stages: each program passes the cases of its own stage and of all
//! before it, and fails those of the next.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};
use std::{env, fs, io};

use conformance::report::{Extent, print_stages, run_stages};
use conformance::{Case, Runner, STAGES, ServerUnderTest, Stage, Verdict};
use harness::steps::targets;
use harness::{Launch, server_of_this_step};
use libtest_mimic::{Arguments, Failed, Trial};

/// A case that is to fail need not have long for it.
const SHORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Cases that a step's program passes, or may pass, before it has their stage.
const EARLY: [(&str, &[&str]); 4] = [
    (
        "every step",
        &[
            // Rust has no strings that end at a NUL.
            "does_not_cut_a_line_at_a_nul",
            // And opens /dev/null in the place of a closed stdout.
            "serves_without_a_stdout",
            // The kernel's buffers hold replies until they are full.
            "gives_all_replies_after_a_half_close",
            "answers_200000_pipelined_pings",
            "answers_long_lines_as_fast_as_they_come",
            // Without a limit no client has to wait.
            "accepts_the_next_client_when_it_fills_as_one_leaves",
            "bears_to_run_out_of_descriptors",
            // Nor is one closed without a timeout.
            "keeps_a_client_that_sent_while_it_was_stopped",
            "keeps_a_client_that_reads_slowly",
            // None of them waits for urgent data.
            "stays_calm_while_a_byte_before_urgent_data_is_missing",
            // Whether a backlog of 5 is too short is a race.
            "serves_all_of_500_connects_at_once",
            "serves_3000_connections_at_once",
            "gives_back_what_300_connections_took",
            // And whether a close is a reset.
            "survives_clients_that_do_not_wait_for_replies",
            "gives_back_the_descriptors_of_clients_that_leave",
        ],
    ),
    ("01-blocking", &["goes_on_after_a_stop"]),
    (
        "02-threads",
        &[
            // A thread's error is its own, and it waits alone.
            "survives_resets_right_after_a_line",
            "survives_resets_before_anything_is_sent",
            "survives_resets_in_the_middle_of_a_line",
            "survives_resets_with_replies_pending",
            "keeps_replies_to_a_reset_client_from_the_next",
            "goes_on_after_a_stop",
            "serves_others_beside_a_silent_client",
            "serves_others_beside_an_endless_sender",
            "gives_back_the_descriptors_of_clients_that_reset",
        ],
    ),
    ("04-epoll", &["serves_others_beside_an_endless_sender"]),
];

fn main() -> ExitCode {
    let (step, _) = server_of_this_step!();
    let programs = match programs(step) {
        Ok(programs) => programs,
        Err(error) => {
            eprintln!("[!] the stages of {step}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let trials = programs.iter().flat_map(|(number, path)| {
        let next = programs.iter().map(|(n, _)| *n).find(|n| n > number);
        trials(step, *number, path, next)
    });
    let trials = trials.chain(reported(step, &programs)).collect();
    let mut arguments = Arguments::from_args();
    // Most cases wait more than they work.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The number of each stage that the step has, and its program, built.
fn programs(step: &str) -> io::Result<Vec<(usize, PathBuf)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stages");
    let target = env::current_exe()?;
    let target = target.ancestors().nth(2).unwrap_or(&target).to_owned();
    let mut programs = Vec::new();
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_string_lossy().chars().next();
        let number = number.and_then(|digit| digit.to_digit(10));
        let Some(number) = number else { continue };
        newest = newest.max(entry.metadata()?.modified()?);
        let program = format!("{}-stage-{number}", &step[..2]);
        let path = target.join("examples").join(program);
        programs.push((number as usize, path));
    }
    programs.sort();
    let is_fresh = |path: &PathBuf| {
        path.metadata()
            .and_then(|program| program.modified())
            .is_ok_and(|built| built > newest)
    };
    if !programs.iter().all(|(_, path)| is_fresh(path)) {
        build(&target)?;
    }
    Ok(programs)
}

/// Cargo builds a package's examples only where all of its tests are run.
fn build(target: &Path) -> io::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--examples"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if target.ends_with("release") {
        cargo.arg("--release");
    }
    if cargo.status()?.success() {
        return Ok(());
    }
    Err(io::Error::other("they do not build"))
}

fn server(step: &str, path: &Path) -> ServerUnderTest {
    let target = targets(step).next();
    ServerUnderTest::command(Launch::program(path, &["{port}"]))
        .one_at_a_time(target.is_some_and(|target| target.one_at_a_time))
        .options(target.map_or(&[], |target| target.limits))
}

fn trials(
    step: &'static str,
    number: usize,
    path: &Path,
    next: Option<usize>,
) -> Vec<Trial> {
    let server = server(step, path);
    let passed = STAGES[..=number].iter().map(|stage| {
        let (server, before) = (server.clone(), stage.number);
        let name = format!("stage_{number}::passes_stage_{before}");
        Trial::test(name, move || passes(&server, stage))
    });
    let failed = next.map(|next| {
        let server = server.clone().timeout(SHORT_TIMEOUT);
        let name = format!("stage_{number}::fails_stage_{next}");
        Trial::test(name, move || fails(&server, step, &STAGES[next]))
    });
    passed.chain(failed).collect()
}

/// What `just check` says of the program that has no limit on a line yet.
fn reported(step: &str, programs: &[(usize, PathBuf)]) -> Option<Trial> {
    let (_, path) = programs.iter().find(|(number, _)| *number == 2)?;
    let runner = Runner::new(server(step, path));
    Some(Trial::test("check_says_what_is_next", move || {
        let (mut text, extent) = (Vec::new(), Extent::default());
        let progress = run_stages(&runner, extent, &mut text)?;
        print_stages(&progress, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        let next = "Next is stage 3: a limit on a line.\n\n\
                    FAIL   3  says once that a line is too long";
        if progress.next_stage() == 3 && text.contains(next) {
            return Ok(());
        }
        Err(text.into_owned().into())
    }))
}

fn passes(server: &ServerUnderTest, stage: &Stage) -> Result<(), Failed> {
    for case in stage.cases() {
        if let Verdict::Failed(error) = case.judge(server) {
            return Err(format!("{}: {error}", case.name).into());
        }
    }
    Ok(())
}

fn fails(
    server: &ServerUnderTest,
    step: &str,
    stage: &Stage,
) -> Result<(), Failed> {
    let mut failed = 0;
    for case in stage.cases().filter(|case| !is_early(step, case)) {
        match case.judge(server) {
            Verdict::Passed => {
                return Err(format!("it passes {} already", case.name).into());
            }
            Verdict::Failed(_) => failed += 1,
            Verdict::NotApplicable(_) => {}
        }
    }
    if failed == 0 { Err("nothing is left to do".into()) } else { Ok(()) }
}

fn is_early(step: &str, case: &Case) -> bool {
    EARLY.iter().any(|(target, names)| {
        [step, "every step"].contains(target) && names.contains(&case.name)
    })
}
