//! Runs cases side by side, and the stage that a server is at first.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::CaseError;

use crate::{Case, STAGES, ServerUnderTest, Stage, Verdict};

/// Cases that run at once, each with a server of its own. Most of them wait
/// more than they work.
const THREADS: usize = 4;
/// How long a case waits of a stage that the server has hardly reached, so that
/// an answer comes soon.
const SHORT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// A server that has let so many other cases wait in vain gets no longer in
/// the rest.
const TIMEOUTS: usize = 3;

/// A case to be run.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// The stage that it belongs to.
    pub stage: &'static Stage,
    /// The case.
    pub case: &'static Case,
    /// The server is known to fail at its stage, or before it.
    pub beyond: bool,
}

impl Planned {
    /// Whether it is the case without which no other makes sense.
    #[must_use]
    pub fn is_first_of_all(&self) -> bool {
        let first = STAGES[0].cases().next();
        first.is_some_and(|first| first.name == self.case.name)
    }
}

/// What runs the cases against one server.
#[derive(Debug)]
pub struct Runner {
    server: ServerUnderTest,
    /// How many cases have waited their whole time in vain.
    timeouts: AtomicUsize,
    cancelled: AtomicBool,
}

impl Runner {
    /// For cases against `server`.
    #[must_use]
    pub fn new(server: ServerUnderTest) -> Self {
        Self { server, timeouts: 0.into(), cancelled: false.into() }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &ServerUnderTest {
        &self.server
    }

    /// Makes [`run`](Self::run) end after the cases that are running.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// The stage that the server seems to be at: the first whose first case
    /// fails, with that case and how it went.
    #[must_use]
    pub fn probe(&self) -> Option<(Planned, CaseError)> {
        STAGES.iter().find_map(|stage| {
            let server = self.with_time(stage.number > 0);
            let applies =
                |case: &&Case| case.does_not_apply_to(&server).is_none();
            let case = stage.cases().find(applies)?;
            match case.judge(&server) {
                Verdict::Failed(error) => {
                    Some((Planned { stage, case, beyond: true }, error))
                }
                _ => None,
            }
        })
    }

    /// Runs `cases` and calls `on_verdict` for each, in their order.
    ///
    /// # Errors
    /// Those of `on_verdict`, after which no further case is begun.
    pub fn run(
        &self,
        cases: &[Planned],
        mut on_verdict: impl FnMut(&Planned, Verdict) -> io::Result<()>,
    ) -> io::Result<()> {
        let next = AtomicUsize::new(0);
        let threads = if self.server.is_ours() { THREADS } else { 1 };
        thread::scope(|scope| {
            let (sender, verdicts) = mpsc::channel();
            for _ in 0..threads {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || self.work(cases, next, &sender));
            }
            drop(sender);
            let mut waiting: Vec<Option<Verdict>> = vec![None; cases.len()];
            let mut reported = 0;
            for (index, verdict) in verdicts {
                waiting[index] = Some(verdict);
                while let Some(verdict) =
                    waiting.get_mut(reported).and_then(Option::take)
                {
                    let result = on_verdict(&cases[reported], verdict);
                    reported += 1;
                    if result.is_err() {
                        self.cancel();
                        return result;
                    }
                }
            }
            Ok(())
        })
    }

    fn work(
        &self,
        cases: &[Planned],
        next: &AtomicUsize,
        sender: &mpsc::Sender<(usize, Verdict)>,
    ) {
        while !self.is_cancelled() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = cases.get(index) else { return };
            if sender.send((index, self.judge(planned))).is_err() {
                return;
            }
        }
    }

    fn judge(&self, planned: &Planned) -> Verdict {
        let patience = self.timeouts.load(Ordering::Relaxed) < TIMEOUTS;
        let server = self.with_time(planned.beyond || !patience);
        let start = Instant::now();
        let verdict = planned.case.judge(&server);
        let failed = matches!(verdict, Verdict::Failed(_));
        if failed && start.elapsed() >= self.server.time() {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        if failed && !self.server.is_ours() && self.server.is_gone() {
            self.cancel();
        }
        verdict
    }

    /// The server, with its whole time or a short one.
    fn with_time(&self, short: bool) -> ServerUnderTest {
        let whole = self.server.time();
        let time = if short { SHORT_TIMEOUT.min(whole) } else { whole };
        self.server.clone().timeout(time)
    }
}
