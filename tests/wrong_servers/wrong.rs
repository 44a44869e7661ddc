//! A wrong server, and the cases that are there to catch it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use std::{env, iter, thread};

use conformance::{Case, Launch, Subject, Verdict, all_cases};

use crate::base::Server;

/// How long to wait for what the server must do. Ample: it costs nothing, as
/// what must come comes soon, unless the machine
/// is busy with something else.
const AMPLE: Duration = Duration::from_secs(20);
/// How long to wait for what this server is known not to do: the right one does
/// it within milliseconds.
const SHORT: Duration = Duration::from_millis(1_200);

/// So many cases of one server are run at a time: most of them wait.
const AT_ONCE: usize = 4;

/// A server, and the cases that it fails.
#[derive(Clone, Copy)]
pub(crate) struct Wrong {
    pub(crate) name: &'static str,
    pub(crate) server: &'static dyn Server,
    fails: &'static [&'static str],
    /// Cases that it fails or not, as a race goes.
    may_fail: &'static [&'static str],
}

impl Wrong {
    /// A server that fails these cases, each time, and no other.
    pub(crate) const fn new(
        name: &'static str,
        server: &'static dyn Server,
        fails: &'static [&'static str],
    ) -> Self {
        Self { name, server, fails, may_fail: &[] }
    }

    /// And some of these, as a race goes: these are not run, as neither outcome
    /// would say anything.
    pub(crate) const fn may_fail(
        self,
        may_fail: &'static [&'static str],
    ) -> Self {
        Self { may_fail, ..self }
    }

    /// Runs the suite, and says what went otherwise than it should.
    pub(crate) fn judge(&self) -> Result<(), String> {
        let cases: Vec<_> = all_cases().collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mine = || cases.get(next.fetch_add(1, Relaxed));
            iter::from_fn(mine).filter_map(|case| self.surprise(case)).collect()
        };
        let mut surprises: Vec<String> = self.unknown_cases(&cases);
        thread::scope(|scope| {
            let workers = [(); AT_ONCE].map(|()| scope.spawn(work));
            for worker in workers {
                let found: Result<Vec<_>, _> = worker.join();
                let panicked = |_| vec!["a case panicked".into()];
                surprises.extend(found.unwrap_or_else(panicked));
            }
        });
        if surprises.is_empty() { Ok(()) } else { Err(surprises.join("\n")) }
    }

    /// What this case does that it should not.
    fn surprise(&self, case: &Case) -> Option<String> {
        if self.may_fail.contains(&case.name) {
            return None;
        }
        let must_fail = self.fails.contains(&case.name);
        match self.run(case, must_fail) {
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

    fn run(&self, case: &Case, must_fail: bool) -> Verdict {
        let program = env::current_exe().unwrap_or_default();
        let args = ["serve", self.name, "--port", "{port}"];
        let subject = Subject::command(Launch::program(program, &args))
            .options(&["--max-connections"])
            .patience(if must_fail { SHORT } else { AMPLE });
        case.judge(&subject)
    }
}
