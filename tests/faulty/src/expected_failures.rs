//! Whether a server fails the cases that are there to catch it, and no other.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use std::{iter, thread};

use super::FaultyServer;
use conformance::{Case, ServerUnderTest, Verdict, all_cases};
use harness::{Launch, TIMEOUT};

/// How long to wait for what this server is known not to do: the right one does
/// it within milliseconds.
const SHORT: Duration = Duration::from_millis(1_200);

/// So many cases of one server are run at a time: most of them wait.
const AT_ONCE: usize = 4;

impl FaultyServer {
    /// Runs the suite on `program NAME`. Cases that fail or not, as a race
    /// goes, are left out: neither outcome would say anything.
    ///
    /// # Errors
    /// What went otherwise than it should, a line each.
    pub fn judge(&self, program: &Path) -> Result<(), String> {
        let cases: Vec<_> = all_cases().collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mine = || cases.get(next.fetch_add(1, Relaxed));
            let unexpected = |case: &&Case| self.unexpected(program, case);
            iter::from_fn(mine).filter_map(unexpected).collect()
        };
        let mut unexpected: Vec<String> = self.unknown_cases(&cases);
        thread::scope(|scope| {
            let workers = [(); AT_ONCE].map(|()| scope.spawn(work));
            for worker in workers {
                let found: Result<Vec<_>, _> = worker.join();
                let panicked = |_| vec!["a case panicked".into()];
                unexpected.extend(found.unwrap_or_else(panicked));
            }
        });
        if unexpected.is_empty() { Ok(()) } else { Err(unexpected.join("\n")) }
    }

    /// What this case does that it should not.
    fn unexpected(&self, program: &Path, case: &Case) -> Option<String> {
        if self.may_fail.contains(&case.name) {
            return None;
        }
        let must_fail = self.fails.contains(&case.name);
        match self.run(program, case, must_fail) {
            Verdict::Failed(_) if must_fail => None,
            Verdict::Failed(failure) => {
                Some(format!("{} fails: {failure}", case.name))
            }
            _ if must_fail => Some(format!("{} does not fail", case.name)),
            _ => None,
        }
    }

    fn unknown_cases(&self, cases: &[&Case]) -> Vec<String> {
        let known = |name: &&str| cases.iter().any(|case| case.name == *name);
        let listed = self.fails.iter().chain(self.may_fail);
        let unknown = listed.filter(|name| !known(name));
        unknown.map(|name| format!("there is no case {name}")).collect()
    }

    fn run(&self, program: &Path, case: &Case, must_fail: bool) -> Verdict {
        let args = [self.name, "--port", "{port}"];
        let subject = ServerUnderTest::command(Launch::program(program, &args))
            .options(&["--max-connections", "--idle-timeout"])
            .timeout(if must_fail { SHORT } else { TIMEOUT });
        case.judge(&subject)
    }
}
