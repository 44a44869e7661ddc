//! What was tried and what happened, for the book.

use std::fmt::{self, Display, Formatter};

use super::fault::{Fault, Often};
use super::matrix::Contestant;
use super::trial::Seen;
use crate::Failure;

/// The outcome of every trial, in the order of the matrix.
#[derive(Debug, Default)]
pub struct Table {
    trials: Vec<(&'static Contestant, Fault, Result<Seen, Failure>)>,
}

impl Table {
    /// Notes what came of one trial.
    pub fn add(
        &mut self,
        who: &'static Contestant,
        fault: Fault,
        outcome: Result<Seen, Failure>,
    ) {
        self.trials.push((who, fault, outcome));
    }

    /// How many trials there were.
    #[must_use]
    pub fn trials(&self) -> usize {
        self.trials.len()
    }

    /// The sum of what was seen in those that went well.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let none = Seen { errors: 0, served: 0, ended: 0 };
        let well = self.trials.iter().flat_map(|(_, _, outcome)| outcome);
        well.fold(none, |sum, seen| Seen {
            errors: sum.errors + seen.errors,
            served: sum.served + seen.served,
            ended: sum.ended + seen.ended,
        })
    }

    /// Those that went wrong, and how.
    pub fn failures(
        &self,
    ) -> impl Iterator<Item = (&'static Contestant, Fault, &Failure)> {
        self.trials.iter().filter_map(|(who, fault, outcome)| {
            outcome.as_ref().err().map(|failure| (*who, *fault, failure))
        })
    }
}

/// Markdown: a table for each server, a row for each call and error. Each cell
/// has the number of errors, and of the connections that ended by them.
impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let of_one = |a: &Trial, b: &Trial| std::ptr::eq(a.0, b.0);
        for trials in self.trials.chunk_by(of_one) {
            heading(f, trials[0].0)?;
            let of_one = |a: &Trial, b: &Trial| {
                (a.1.call, a.1.error) == (b.1.call, b.1.error)
            };
            for row in trials.chunk_by(of_one) {
                write!(f, "| `{}` | {} |", row[0].1.call, row[0].1.answer())?;
                for often in Often::ALL {
                    let trial = row.iter().find(|trial| trial.1.often == often);
                    let cell = trial.map_or("".into(), |t| cell(&t.2));
                    write!(f, " {cell} |")?;
                }
                writeln!(f)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

type Trial = (&'static Contestant, Fault, Result<Seen, Failure>);

fn heading(f: &mut Formatter<'_>, who: &Contestant) -> fmt::Result {
    let mode = match who.mode {
        "" => String::new(),
        mode => format!(", {mode}-triggered"),
    };
    writeln!(f, "**{}{mode}**\n", who.name)?;
    write!(f, "| call | answer |")?;
    for often in Often::ALL {
        write!(f, " {often} |")?;
    }
    writeln!(f, "\n|---|---|--:|--:|--:|")
}

/// Errors, and connections that ended by them.
fn cell(outcome: &Result<Seen, Failure>) -> String {
    match outcome {
        Ok(Seen { errors, ended, .. }) => format!("{errors} → {ended}"),
        Err(_) => "**failed**".into(),
    }
}
