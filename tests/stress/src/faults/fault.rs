//! A call, an error, and how often it happens.

use std::fmt::{self, Display, Formatter};

/// How often a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// One time.
    Once,
    /// One time, and from then on every third time.
    EveryThird,
    /// Ten times, with no success in between.
    TenInARow,
}

impl Frequency {
    /// From the least to the most.
    pub const ALL: [Self; 3] = [Self::Once, Self::EveryThird, Self::TenInARow];

    /// As `strace` wants it, where the call number `first` is the first to
    /// fail. It counts the calls of each thread by themselves.
    fn when(self, first: u32) -> String {
        match self {
            Self::Once => first.to_string(),
            Self::EveryThird => format!("{first}+3"),
            Self::TenInARow => format!("{first}..{}", first + 9),
        }
    }
}

impl Display for Frequency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Once => "once",
            Self::EveryThird => "every third time",
            Self::TenInARow => "ten times in a row",
        })
    }
}

/// What clients may notice of a call that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Each error may end one connection: the one that the call was about.
    EndsOne,
    /// Nothing. But `strace` gives the error *instead of* making the call, and
    /// so each error keeps one descriptor open. The kernel's own errors of
    /// `close` do not: `man 2 close`, "Dealing with error returns".
    KeepsOneOpen,
    /// Each error costs the next byte of a reply: the server was told that the
    /// kernel took one, which it did not. It must go on with the byte after.
    LosesBytes,
}

/// A call that fails: the trial of one server.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The system call by the name that the kernel knows it by.
    pub call: &'static str,
    /// The error's name, as in `errno.h`; none for a partial write.
    pub error: Option<&'static str>,
    /// How often.
    pub often: Frequency,
    /// What may come of it.
    pub effect: Effect,
    /// The number of the first call to fail, in each thread.
    pub(crate) first: u32,
}

impl Fault {
    /// What follows `CALL:` in `strace`'s option `inject`.
    pub(crate) fn expression(&self) -> String {
        let when = self.often.when(self.first);
        match self.error {
            Some(error) => format!("error={error}:when={when}"),
            None => format!("retval=1:when={when}"),
        }
    }

    /// The error's name, or that the kernel took one byte alone.
    #[must_use]
    pub fn answer(&self) -> &'static str {
        self.error.unwrap_or("1 byte taken")
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.call, self.answer(), self.often)
    }
}

#[cfg(test)]
mod tests {
    use super::Frequency;

    #[test]
    fn strace_counts_calls_from_one() {
        assert_eq!(Frequency::Once.when(4), "4");
        assert_eq!(Frequency::EveryThird.when(4), "4+3");
        assert_eq!(Frequency::TenInARow.when(4), "4..13");
    }
}
