//! What the server holds between the rounds, and the trend.

use std::fmt::{self, Display, Formatter};
use std::time::Instant;

use super::round::Tally;
use super::workloads::ask_once;
use harness::{CaseError, Client, Resources, Server, TIMEOUT};

/// Rounds at the beginning that do not count: what is made once is made then.
const WARM_UP: usize = 2;
/// More than this, in KiB, over the time that counts, is a leak: of a few bytes
/// for each of thousands of connections a minute. Less may be the allocator,
/// which takes a while until it asks for no more.
const MOST_GROWTH: f64 = 2_048.0;

/// What the server holds with no client but the one that is always there.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    minutes: f64,
    resident_kib: usize,
    resources: Resources,
}

/// The whole of a run.
#[derive(Debug)]
pub struct LeakCheck {
    start: Instant,
    at_rest: Vec<Baseline>,
    /// What came of the visits.
    pub tally: Tally,
}

impl LeakCheck {
    /// With `faithful` as the server's only client.
    pub(super) fn new(
        server: &Server,
        faithful: &mut Client,
    ) -> Result<Self, CaseError> {
        ask_once(faithful)?;
        let (at_rest, tally) = (Vec::new(), Tally::default());
        let mut leak_check = Self { start: Instant::now(), at_rest, tally };
        leak_check.note(server)?;
        Ok(leak_check)
    }

    pub(super) fn add(&mut self, tally: Tally, faithful: &mut Client) {
        self.tally.add(tally);
        if let Err(failure) = ask_once(faithful) {
            let failure = failure.with("client", "the one that stays");
            self.tally.failures.push(failure);
        }
    }

    /// Waits until all that have left are forgotten, and notes what remains.
    pub(super) fn note(&mut self, server: &Server) -> Result<(), CaseError> {
        let process = server.process()?.proc();
        let now = Resources::of(process)?;
        let at_first = self.at_rest.first().map_or(now, |at| at.resources);
        let back = at_first.is_reached_by(process, TIMEOUT);
        self.tally.failures.extend(back.err());
        self.at_rest.push(Baseline {
            minutes: self.start.elapsed().as_secs_f64() / 60.0,
            resident_kib: process.resident_kib()?,
            resources: Resources::of(process)?,
        });
        Ok(())
    }

    /// What counts: without the first rounds.
    fn counted(&self) -> &[Baseline] {
        self.at_rest.get(1 + WARM_UP..).unwrap_or_default()
    }

    /// The memory's trend in KiB a minute: the line that fits best through
    /// what was held between the rounds.
    #[must_use]
    pub fn slope(&self) -> f64 {
        let points = self.counted().iter();
        slope(points.map(|at| (at.minutes, at.resident_kib as f64)).collect())
    }

    /// The growth in KiB by that trend.
    fn growth(&self) -> f64 {
        let minutes = || self.counted().iter().map(|at| at.minutes);
        let (first, last) = (minutes().next(), minutes().next_back());
        let time = last.unwrap_or_default() - first.unwrap_or_default();
        self.slope() * time
    }

    /// Whether no client came to harm and nothing grew.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.tally.failures.is_empty() && self.growth() <= MOST_GROWTH
    }
}

/// The slope of the least-squares line; 0 for fewer than three points.
fn slope(points: Vec<(f64, f64)>) -> f64 {
    if points.len() < 3 {
        return 0.0;
    }
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
    let (x, y) = (x / count, y / count);
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let variance: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    covariance / variance
}

impl Display for LeakCheck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tally { visits, requests, failures } = &self.tally;
        let minutes = self.at_rest.last().map_or(0.0, |at| at.minutes);
        writeln!(f, "{minutes:.1} minutes, {} rounds", self.at_rest.len() - 1)?;
        for (name, count) in visits {
            writeln!(f, "  {name:<14}{count:>10} visits")?;
        }
        writeln!(f, "  {:<14}{requests:>10} right", "replies")?;
        writeln!(f, "  {:<14}{:>10}", "errors", failures.len())?;
        self.line(f, "memory, KiB", |at| at.resident_kib)?;
        self.line(f, "descriptors", |at| at.resources.descriptors)?;
        self.line(f, "threads", |at| at.resources.threads)?;
        writeln!(f, "  {:<14}{:>+10.1} KiB a minute", "trend", self.slope())
    }
}

impl LeakCheck {
    fn line(
        &self,
        f: &mut Formatter<'_>,
        name: &str,
        value: impl Fn(&Baseline) -> usize,
    ) -> fmt::Result {
        let all = || self.counted().iter().map(&value);
        let at = |value: Option<usize>| value.unwrap_or_default();
        let (first, last) = (at(all().next()), at(all().next_back()));
        let (least, most) = (at(all().min()), at(all().max()));
        writeln!(
            f,
            "  {name:<14}{first:>10} → {last}, between {least} and {most}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn the_trend_is_the_slope_of_the_best_line() {
        assert_eq!(slope(vec![(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]), 2.0);
        assert_eq!(slope(vec![(0.0, 5.0), (1.0, 8.0), (2.0, 5.0)]), 0.0);
        assert_eq!(slope(vec![(0.0, 5.0), (1.0, 8.0)]), 0.0);
    }
}
