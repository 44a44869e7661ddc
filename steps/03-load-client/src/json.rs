//! The same results for another program: one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::Report;
use crate::tally::Latency;

/// The object that `--json` prints. Its field names are part of the program's
/// interface: scripts read them.
// ANCHOR: json
#[derive(Serialize)]
struct Json {
    /// Requests that were to be made.
    total: u64,
    succeeded: u64,
    failed: u64,
    /// A signal came: fewer were made.
    stopped_early: bool,
    /// Failed requests by kind.
    errors: BTreeMap<String, u64>,
    seconds: f64,
    requests_per_second: f64,
    /// Microseconds of the requests that succeeded; null where none did.
    latency_us: Option<Latency>,
}
// ANCHOR_END: json

impl Report {
    /// The results as one line of JSON, with its newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let problems = self.tally.problems().into_iter();
        let json = Json {
            total: self.total,
            succeeded: self.tally.successes(),
            failed: self.tally.failures(),
            stopped_early: self.signal.is_some(),
            errors: problems.map(|(kind, n)| (kind.key(), n)).collect(),
            seconds: self.elapsed.as_secs_f64(),
            requests_per_second: self.requests_per_second(),
            latency_us: self.tally.latency(),
        };
        // Numbers and strings: nothing in it that JSON could not hold.
        serde_json::to_string(&json).unwrap_or_default() + "\n"
    }
}
