//! What went wrong: in a sentence, and with the bytes that show it.

use std::fmt::{self, Debug, Display, Formatter};

/// How a case, or a part of one, went.
pub type CaseResult = Result<(), CaseError>;

/// A server that did not do what was expected of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseError {
    problem: String,
    details: Vec<(&'static str, String)>,
}

impl CaseError {
    /// A failure that `problem`, one sentence, describes.
    #[must_use]
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), details: Vec::new() }
    }

    /// Turns an error into a failure of what was being done; made for
    /// `map_err`.
    pub fn of<E: Display>(doing: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("{doing}: {error}"))
    }

    /// The sentence alone.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Adds what was sent up to here.
    #[must_use]
    pub fn sent(self, text: impl Into<String>) -> Self {
        self.with("sent", text)
    }

    /// Adds what should have come.
    #[must_use]
    pub fn expected(self, text: impl Into<String>) -> Self {
        self.with("expected", text)
    }

    /// Adds what came instead.
    #[must_use]
    pub fn came(self, text: impl Into<String>) -> Self {
        self.with("came", text)
    }

    /// Adds a line with a label of at most eight letters, unless it is empty.
    #[must_use]
    pub fn with(
        mut self,
        label: &'static str,
        text: impl Into<String>,
    ) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.details.push((label, text));
        }
        self
    }
}

impl Display for CaseError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        for (label, text) in &self.details {
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            write!(f, "\n  {:<10}{first}", format!("{label}:"))?;
            for line in lines {
                write!(f, "\n  {:<10}{line}", "")?;
            }
        }
        Ok(())
    }
}

// `cargo test` prints the error of a test with `Debug`.
impl Debug for CaseError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for CaseError {}

#[cfg(test)]
mod tests {
    use super::CaseError;

    #[test]
    fn a_failure_is_a_sentence_and_a_table() {
        let failure = CaseError::new("the reply is not the expected one")
            .sent("\"ping\\n\"")
            .came("nothing\nfor 10 s");
        assert_eq!(
            failure.to_string(),
            "the reply is not the expected one\n  \
             sent:     \"ping\\n\"\n  \
             came:     nothing\n            for 10 s"
        );
    }
}
