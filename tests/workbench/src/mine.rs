//! Build, check, and say what is next.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conformance::report::{Extent, print_stages, run_stages};
use conformance::{LaunchOptions, Runner, STAGES, ServerUnderTest};
use harness::Launch;

use crate::course::{Step, absolute};
use crate::language::Language;
use crate::watch::{Changes, last_change};
use crate::{Result, say};

/// A reader's own server.
struct Mine {
    step: Step,
    language: Language,
    folder: PathBuf,
    timeout: Duration,
}

/// Checks the reader's server, once or at every save. Whether all stages hold.
///
/// # Errors
/// There is none; it does not build; it does not start.
pub(crate) fn run(
    root: &Path,
    step: Option<Step>,
    watch: bool,
    timeout: u64,
) -> Result<bool> {
    let timeout = Duration::from_secs(timeout);
    let mine = Mine { timeout, ..find(root, step)? };
    let source = mine.folder.join(mine.language.source());
    say(&format!("[*] {}", absolute(&source)));
    mine.language.is_installed()?;
    if !watch {
        let reached = mine.check(|_| {})?;
        return Ok(reached == Some(STAGES.len()));
    }
    let changes = Changes::of(&mine.folder)?;
    let mut before = None;
    loop {
        changes.begin();
        match mine.check(|runner| changes.cancels(runner)) {
            Ok(None) => {}
            Ok(Some(reached)) => {
                if let Some(line) = newly_reached(before, reached) {
                    say(&line);
                }
                before = Some(reached);
            }
            // It may be mended by the next save.
            Err(error) => {
                let _ = writeln!(io::stderr(), "[!] {error}");
            }
        }
        say("\n[*] waiting for the next save; Ctrl-C ends it");
        changes.wait();
        say("");
    }
}

/// The server of `step`, or that which was changed last.
fn find(root: &Path, step: Option<Step>) -> Result<Mine> {
    let all = Step::ALL.into_iter().filter(|&s| step.is_none_or(|t| s == t));
    let mine = all.filter_map(|step| {
        let folder = root.join(step.name());
        let language = Language::of(&folder)?;
        let timeout = Duration::ZERO;
        Some(Mine { step, language, folder, timeout })
    });
    mine.max_by_key(|mine| last_change(&mine.folder)).ok_or_else(|| {
        let number = step.map_or("04", Step::number);
        format!("there is no server of yours yet: just start {number}")
    })
}

/// What to say where more stages hold than before.
fn newly_reached(before: Option<usize>, reached: usize) -> Option<String> {
    let stage = STAGES[..reached].last()?;
    before.filter(|&before| before < reached)?;
    Some(format!("\n[*] stage {} reached: {}", stage.number, stage.adds))
}

impl Mine {
    /// How many stages hold, one after the other; `None` if it was cancelled.
    fn check(
        &self,
        on_start: impl FnOnce(&Arc<Runner>),
    ) -> Result<Option<usize>> {
        if self.language.is_compiled() {
            say("[*] building");
        }
        self.language.build(&self.folder)?;
        let runner = Arc::new(Runner::new(self.server()));
        on_start(&runner);
        let start = runner.server().start(&LaunchOptions::default());
        drop(start.map_err(|error| error.to_string())?);
        let extent =
            Extent { quiet: true, stop_at_failure: true, ..Extent::default() };
        let mut out = io::stdout();
        let progress = run_stages(&runner, extent, &mut out)
            .map_err(|error| error.to_string())?;
        if runner.is_cancelled() {
            return Ok(None);
        }
        print_stages(&progress, &mut out).map_err(|error| error.to_string())?;
        Ok(Some(progress.next_stage()))
    }

    fn server(&self) -> ServerUnderTest {
        let command = self.language.command(self.step, &self.folder);
        let one = self.step == Step::Blocking;
        let limits = ["--max-connections", "--idle-timeout"];
        ServerUnderTest::command(Launch::shell(&command))
            .one_at_a_time(one)
            .options(if one { &[] } else { &limits })
            .timeout(self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;
    use std::{env, fs, thread};

    use clap::ValueEnum;
    use conformance::{STAGES, Verdict};

    use super::{Mine, newly_reached};
    use crate::course::Step;
    use crate::language::Language;
    use crate::start::start;

    #[test]
    fn says_which_stage_is_reached_where_none_was_lost() {
        let line = "\n[*] stage 2 reached: lines, and bytes are bytes";
        assert_eq!(newly_reached(Some(1), 3).as_deref(), Some(line));
        for before in [None, Some(3), Some(4)] {
            assert_eq!(newly_reached(before, 3), None);
        }
        assert_eq!(newly_reached(Some(0), 0), None);
    }

    /// In each language that has a toolchain here. Rust's is the first stage of
    /// each step, which the step holds to its cases.
    #[test]
    fn the_smallest_servers_pass_their_stage() {
        let root = env::temp_dir().join(format!("mine-{}", std::process::id()));
        let languages = Language::value_variants().iter().copied();
        thread::scope(|scope| {
            for language in languages.filter(|l| *l != Language::Rust) {
                if let Err(missing) = language.is_installed() {
                    println!("skipped: {missing}");
                    continue;
                }
                for step in Step::ALL {
                    let root = root.join(language.source());
                    if start(&root, step, language, 0).is_ok() {
                        scope.spawn(move || passes(&root, step, language));
                    }
                }
            }
        });
        fs::remove_dir_all(&root).unwrap();
    }

    fn passes(root: &Path, step: Step, language: Language) {
        let folder = root.join(step.name());
        let timeout = Duration::from_secs(20);
        let mine = Mine { step, language, folder, timeout };
        mine.language.build(&mine.folder).unwrap();
        for case in STAGES[0].cases() {
            if let Verdict::Failed(error) = case.judge(&mine.server()) {
                panic!("{step:?} in {language:?}: {}: {error}", case.name);
            }
        }
    }
}
