//! What a reader sees of a run: a line for each case, the stages, and what is
//! next.

use std::io::{self, Write};
use std::time::Instant;

use harness::CaseError;
use protocol::Language;

use crate::{Case, Planned, Runner, STAGES, Stage, Verdict};

/// Of a sentence that stands in a table on a terminal.
const WIDTH: usize = 56;

/// How the cases of one stage went.
#[derive(Debug, Default)]
struct Score {
    passed: usize,
    failed: usize,
    not_applicable: usize,
    first_failure: Option<(Planned, CaseError)>,
    /// Why the first case was not run that was not.
    first_reason: Option<String>,
}

impl Score {
    /// All of its cases were run, and none failed.
    fn holds(&self, stage: &Stage) -> bool {
        self.passed + self.not_applicable == stage.cases().count()
    }

    fn add(&mut self, planned: Planned, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::NotApplicable(reason) => {
                self.not_applicable += 1;
                self.first_reason.get_or_insert(reason);
            }
            Verdict::Failed(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert((planned, error));
            }
        }
    }
}

/// How much is run, and how much is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// No line for each case.
    pub quiet: bool,
    /// No stage after the first that does not hold.
    pub stop_at_failure: bool,
    /// All cases, even where the first says that no other can pass.
    pub all: bool,
}

/// How far a server has come.
#[derive(Debug)]
pub struct Progress {
    scores: [Score; STAGES.len()],
    start: Instant,
    /// What was shown in full, and stands right above the stages.
    shown: Option<&'static str>,
    /// Only the first case was run, without which no other can pass.
    stopped: bool,
}

impl Progress {
    fn stages(&self) -> impl Iterator<Item = (&'static Stage, &Score)> {
        STAGES.iter().zip(&self.scores)
    }

    /// The first stage that does not hold; as many as there are when all do.
    #[must_use]
    pub fn next_stage(&self) -> usize {
        self.stages().take_while(|(stage, score)| score.holds(stage)).count()
    }

    /// No case failed, and some were run.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.next_stage() == STAGES.len()
            && self.scores.iter().any(|score| score.passed > 0)
    }
}

/// Runs all stages: the one that the server is at first, then those before it,
/// then those behind it. Prints what comes of it to `out`.
///
/// # Errors
/// The reader of `out` has gone away.
pub fn run_stages(
    runner: &Runner,
    extent: Extent,
    out: &mut impl Write,
) -> io::Result<Progress> {
    let mut progress = Progress {
        scores: Default::default(),
        start: Instant::now(),
        shown: None,
        stopped: false,
    };
    let probed = runner.probe();
    let at = probed.as_ref().map_or(STAGES.len(), |(p, _)| p.stage.number);
    if let Some((planned, error)) = &probed {
        explain(out, planned, error)?;
        if extent.quiet {
            progress.shown = Some(planned.case.name);
        } else {
            writeln!(out)?;
        }
    }
    let (earlier, rest) = STAGES.split_at(at);
    let (current, later) = rest.split_at(rest.len().min(1));
    let mut cases = plan(current, true);
    cases.extend(plan(earlier, false));
    if !extent.stop_at_failure {
        cases.extend(plan(later, true));
    }
    if !extent.all && probed.is_some_and(|(p, _)| p.is_first_of_all()) {
        // The others would say the same.
        cases.truncate(1);
        progress.stopped = true;
    }
    runner.run(&cases, |planned, verdict| {
        if !extent.quiet {
            line(out, planned, &verdict)?;
        }
        progress.scores[planned.stage.number].add(*planned, verdict);
        Ok(())
    })?;
    Ok(progress)
}

fn plan(stages: &'static [Stage], beyond: bool) -> Vec<Planned> {
    let cases = |stage: &'static Stage| {
        stage.cases().map(move |case| Planned { stage, case, beyond })
    };
    stages.iter().flat_map(cases).collect()
}

/// Runs `cases` and prints each failure in full. Whether none failed.
///
/// # Errors
/// The reader of `out` has gone away.
pub fn run_some(
    runner: &Runner,
    cases: &[Planned],
    out: &mut impl Write,
) -> io::Result<bool> {
    let start = Instant::now();
    let mut score = Score::default();
    runner.run(cases, |planned, verdict| {
        match &verdict {
            Verdict::Failed(error) => explain(out, planned, error)?,
            _ => line(out, planned, &verdict)?,
        }
        score.add(*planned, verdict);
        Ok(())
    })?;
    let success = score.failed == 0 && score.passed > 0;
    print_sum(&[score], start, out)?;
    Ok(success)
}

/// The stages, and what is next.
///
/// # Errors
/// The reader of `out` has gone away.
pub fn print_stages(
    progress: &Progress,
    out: &mut impl Write,
) -> io::Result<()> {
    print_sum(&progress.scores, progress.start, out)?;
    writeln!(out)?;
    for (stage, score) in progress.stages() {
        let (number, adds) = (stage.number, stage.adds);
        writeln!(out, "stage {number}  {}  {adds}", held(stage, score))?;
    }
    print_next(progress, out)
}

fn print_sum(
    scores: &[Score],
    start: Instant,
    out: &mut impl Write,
) -> io::Result<()> {
    let sum = |count: fn(&Score) -> usize| -> usize {
        scores.iter().map(count).sum()
    };
    let (passed, failed) = (sum(|s| s.passed), sum(|s| s.failed));
    let not_applicable = sum(|score| score.not_applicable);
    let seconds = start.elapsed().as_secs_f64();
    let text = Language::from_environment().pick(
        format!(
            "成功: {passed} 失敗: {failed} 対象外: {not_applicable} \
             総経過時間: {seconds:.1} 秒"
        ),
        format!(
            "{passed} passed, {failed} failed, {not_applicable} not \
             applicable, in {seconds:.1} s"
        ),
    );
    writeln!(out, "\n{text}")?;
    let was_run = |score: &Score| score.passed + score.failed > 0;
    let mut reasons = scores.iter().filter_map(|s| s.first_reason.as_ref());
    match reasons.next().filter(|_| !scores.iter().any(was_run)) {
        Some(reason) => writeln!(out, "No case could be run: {reason}."),
        None => Ok(()),
    }
}

fn held(stage: &Stage, score: &Score) -> String {
    let (passed, tried) = (score.passed, score.passed + score.failed);
    match (score.holds(stage), tried) {
        (false, 0) => String::from("  not run "),
        (true, 0) => String::from("  n/a     "),
        (true, _) => format!("  {passed:>2} of {tried:<2}"),
        (false, _) => format!("! {passed:>2} of {tried:<2}"),
    }
}

fn print_next(progress: &Progress, out: &mut impl Write) -> io::Result<()> {
    let Some((stage, score)) = progress.stages().nth(progress.next_stage())
    else {
        return print_success(progress, out);
    };
    let Some((planned, error)) = &score.first_failure else { return Ok(()) };
    if progress.stopped {
        let why = "the other cases would say the same, and were not run";
        return writeln!(
            out,
            "\nIt does not answer a ping: {why}. --all runs them."
        );
    }
    writeln!(out, "\nNext is stage {}: {}.", stage.number, stage.adds)?;
    if progress.shown == Some(planned.case.name) {
        return Ok(());
    }
    writeln!(out)?;
    explain(out, planned, error)
}

/// No case failed, which says nothing of a stage that was not run.
fn print_success(progress: &Progress, out: &mut impl Write) -> io::Result<()> {
    let not_run: Vec<_> =
        progress.stages().filter(|(_, score)| score.passed == 0).collect();
    if not_run.is_empty() {
        return writeln!(out, "\nAll stages hold.");
    }
    writeln!(out, "\nAll stages hold that were run.")?;
    for (stage, score) in not_run {
        let (number, adds) = (stage.number, stage.adds);
        let reason = score.first_reason.as_deref().unwrap_or_default();
        writeln!(out, "Stage {number} was not run ({adds}): it {reason}.")?;
        if reason.starts_with("needs the option") {
            let add = "--with max-connections,idle-timeout";
            writeln!(out, "For a server that has both options add {add}.")?;
        }
    }
    Ok(())
}

fn line(
    out: &mut impl Write,
    planned: &Planned,
    verdict: &Verdict,
) -> io::Result<()> {
    let (number, name) = (planned.stage.number, planned.case.title());
    match verdict {
        Verdict::Passed => writeln!(out, "  ok   {number}  {name}"),
        Verdict::NotApplicable(reason) => {
            writeln!(out, "  n/a  {number}  {name}: {reason}")
        }
        Verdict::Failed(_) => writeln!(out, "FAIL   {number}  {name}"),
    }
}

/// One case, and all about its failure.
#[must_use]
pub fn in_full(stage: &Stage, case: &Case, error: &CaseError) -> String {
    let error = error
        .clone()
        .with("why", wrapped(stage.why(case)))
        .with("read", case.read(stage));
    let mut text = format!("FAIL   {}  {}\n", stage.number, case.title());
    for line in error.to_string().lines() {
        text.push_str(&format!("          {line}\n"));
    }
    text
}

fn explain(
    out: &mut impl Write,
    planned: &Planned,
    error: &CaseError,
) -> io::Result<()> {
    write!(out, "{}", in_full(planned.stage, planned.case, error))
}

/// `text` in lines of at most [`WIDTH`] bytes, broken between words.
fn wrapped(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.len() > WIDTH {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += word.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Progress, STAGES, print_stages};
    use crate::{Planned, Verdict};

    /// What is said at the end where none of stage 8 was run, for `reason`.
    fn without_stage_8(reason: &str) -> String {
        let mut progress = Progress {
            scores: Default::default(),
            start: Instant::now(),
            shown: None,
            stopped: false,
        };
        for stage in &STAGES {
            for case in stage.cases() {
                let verdict = match stage.number {
                    8 => Verdict::NotApplicable(reason.into()),
                    _ => Verdict::Passed,
                };
                let planned = Planned { stage, case, beyond: false };
                progress.scores[stage.number].add(planned, verdict);
            }
        }
        let mut text = Vec::new();
        print_stages(&progress, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn says_that_a_stage_was_not_run_and_what_to_add() {
        let text = without_stage_8("needs the option --max-connections");
        assert!(text.contains("stage 8    n/a       the two options"));
        assert!(text.ends_with(
            "\nAll stages hold that were run.\nStage 8 was not run (the two \
             options): it needs the option --max-connections.\nFor a server \
             that has both options add --with max-connections,idle-timeout.\n"
        ));
        let text = without_stage_8("needs many clients at once");
        assert!(text.ends_with("it needs many clients at once.\n"));
    }
}
