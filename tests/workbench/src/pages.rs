//! What the book shows of the stages: of each what it adds, and the failure
//! that asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use conformance::{ServerUnderTest, Verdict, report};
use harness::Launch;

use crate::course::{Step, repository, shown};
use crate::stage::difference;
use crate::{Result, say};

/// Characters in a line of a page.
const WIDTH: usize = 82;
/// How long a program may take, as in `just mine`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Writes the differences, and runs the programs for the failures.
///
/// # Errors
/// A program does not build, a file cannot be written.
pub(crate) fn write() -> Result<()> {
    for step in Step::ALL {
        build(step)?;
        for (path, text) in differences(step)? {
            put(&path, &text)?;
        }
        for (path, text) in failures(step)? {
            put(&path, &text)?;
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)
        .map_err(|e| format!("cannot write {}: {e}", shown(path)))?;
    say(&shown(path));
    Ok(())
}

fn build(step: Step) -> Result<()> {
    let package = format!("step-{}", step.name());
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--examples", "--package", &package])
        .current_dir(repository())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the stages of {} do not build", step.name())),
    }
}

fn generated(name: &str) -> PathBuf {
    repository().join("book/src/generated").join(name)
}

/// The difference of each stage to the one before, and where it stands.
///
/// # Errors
/// A file cannot be read.
fn differences(step: Step) -> Result<Vec<(PathBuf, String)>> {
    let stages = step.stages()?;
    stages
        .windows(2)
        .map(|pair| {
            let number = pair[1].0.number;
            let name = format!("stage-{}-{number}.diff", step.number());
            Ok((generated(&name), difference(&pair[0].1, &pair[1].1)?))
        })
        .collect()
}

/// Of each stage the first case that the program before it fails, as `just
/// mine` shows it, and where it stands.
fn failures(step: Step) -> Result<Vec<(PathBuf, String)>> {
    let stages = step.stages()?;
    stages
        .windows(2)
        .map(|pair| {
            let (before, stage) = (pair[0].0.number, pair[1].0);
            let program = format!(
                "target/debug/examples/{}-stage-{before}",
                step.number()
            );
            let program = repository().join(program);
            let server =
                ServerUnderTest::command(Launch::program(program, &["{port}"]))
                    .one_at_a_time(step == Step::Blocking)
                    .options(&["--max-connections", "--idle-timeout"])
                    .timeout(TIMEOUT);
            let failure =
                stage.cases().find_map(|case| match case.judge(&server) {
                    Verdict::Failed(error) => {
                        Some(report::in_full(stage, case, &error))
                    }
                    _ => None,
                });
            let name = format!("next-{}-{}.txt", step.number(), stage.number);
            let failure = failure.ok_or_else(|| format!("{name}: none"))?;
            Ok((generated(&name), for_a_page(&failure)))
        })
        .collect()
}

/// As wide as a page, with the port that the book uses.
fn for_a_page(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("127.0.0.1:") {
        shown.push_str(before);
        shown.push_str("127.0.0.1:8888");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    shown.push_str(rest);
    shown.lines().map(clipped).collect()
}

fn clipped(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…\n", &line[..end]),
        None => format!("{line}\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use conformance::STAGES;

    use super::{differences, generated};
    use crate::course::Step;

    #[test]
    fn the_book_shows_the_differences_as_they_are() {
        for step in Step::ALL {
            for (path, text) in differences(step).unwrap() {
                let shown = fs::read_to_string(&path).unwrap_or_default();
                let name = path.display();
                assert!(shown == text, "{name}: just stage-pages");
            }
        }
    }

    #[test]
    fn the_book_shows_a_failure_of_each_stage() {
        for step in Step::ALL {
            for (stage, _) in step.stages().unwrap().iter().skip(1) {
                let name =
                    format!("next-{}-{}.txt", step.number(), stage.number);
                let text = fs::read_to_string(generated(&name)).unwrap();
                let of_stage = STAGES[stage.number].cases().any(|case| {
                    let (number, title) = (stage.number, case.title());
                    text.starts_with(&format!("FAIL   {number}  {title}\n"))
                });
                assert!(of_stage, "{name}: just stage-pages");
            }
        }
    }
}
