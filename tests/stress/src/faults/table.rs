//! What was tried and what happened, for the book.

use std::fmt::{self, Display, Formatter};

use super::fault::{Fault, Frequency};
use super::trial::Seen;
use harness::CaseError;
use harness::steps::Target;

/// The outcome of every trial, in the order of the matrix.
#[derive(Debug, Default)]
pub struct Table {
    trials: Vec<Trial>,
}

type Trial = (&'static Target, Fault, Result<Seen, CaseError>);

impl Table {
    /// Notes what came of one trial.
    pub fn add(
        &mut self,
        target: &'static Target,
        fault: Fault,
        outcome: Result<Seen, CaseError>,
    ) {
        self.trials.push((target, fault, outcome));
    }

    /// How many trials there were.
    #[must_use]
    pub fn trials(&self) -> usize {
        self.trials.len()
    }

    /// The sum of what was seen in those that went well.
    #[must_use]
    pub fn seen(&self) -> Seen {
        sum(self.trials.iter())
    }

    /// Those that went wrong, and how.
    pub fn failures(
        &self,
    ) -> impl Iterator<Item = (&'static Target, Fault, &CaseError)> {
        self.trials.iter().filter_map(|(target, fault, outcome)| {
            outcome.as_ref().err().map(|failure| (*target, *fault, failure))
        })
    }
}

fn sum<'a>(trials: impl Iterator<Item = &'a Trial>) -> Seen {
    let none = Seen { errors: 0, served: 0, ended: 0 };
    let well = trials.flat_map(|(_, _, outcome)| outcome);
    well.fold(none, |sum, seen| Seen {
        errors: sum.errors + seen.errors,
        served: sum.served + seen.served,
        ended: sum.ended + seen.ended,
    })
}

/// Markdown: a table for each server, a row for each call and what its errors
/// may bring about. A cell has the number of calls that failed, and that of the
/// connections that ended before their time.
impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let of_one = |a: &Trial, b: &Trial| std::ptr::eq(a.0, b.0);
        for trials in self.trials.chunk_by(of_one) {
            heading(f, trials[0].0)?;
            let alike = |a: &Trial, b: &Trial| {
                (a.1.call, a.1.effect) == (b.1.call, b.1.effect)
            };
            for trials in trials.chunk_by(alike) {
                row(f, trials)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn heading(f: &mut Formatter<'_>, target: &Target) -> fmt::Result {
    let mode = match target.mode {
        "" => String::new(),
        mode => format!(", {mode}-triggered"),
    };
    writeln!(f, "**{}{mode}**\n", target.name)?;
    write!(f, "| call | answers |")?;
    for often in Frequency::ALL {
        write!(f, " {often} |")?;
    }
    writeln!(f, "\n|---|---|--:|--:|--:|")
}

fn row(f: &mut Formatter<'_>, trials: &[Trial]) -> fmt::Result {
    let mut answers: Vec<_> =
        trials.iter().map(|trial| trial.1.answer()).collect();
    answers.dedup();
    let answers = answers.join(", ");
    write!(f, "| `{}` | {answers} |", trials[0].1.call)?;
    for often in Frequency::ALL {
        let trials = || trials.iter().filter(|trial| trial.1.often == often);
        let Seen { errors, ended, .. } = sum(trials());
        let failed = trials().filter(|trial| trial.2.is_err()).count();
        match (trials().count(), failed) {
            (0, _) => write!(f, " |")?,
            (_, 0) => write!(f, " {errors} → {ended} |")?,
            _ => write!(f, " **{failed} failed** |")?,
        }
    }
    writeln!(f)
}
