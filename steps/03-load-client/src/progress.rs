//! A bar that shows how far a run has come, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{bar:40} {pos}/{len} {eta}";

/// A progress bar on stderr. Where that is no terminal there is no bar: a file
/// or a pipe has no use for one.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for `total` requests.
    pub(crate) fn new(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn set_position(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    /// Leaves the terminal's line to what is printed next.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
