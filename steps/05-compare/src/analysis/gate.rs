//! Whether two runs can be compared, and whether one is worse than it may be.

use std::cmp::Ordering::{self, Greater, Less};

use super::comparison::{COMPARED, Difference, between_runs};
use crate::results::row::{Results, Row, Setup};

/// What `--fail-if` asks for: `cpu>1.05`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    text: String,
    key: &'static str,
    /// `Greater` for `>`.
    beyond: Ordering,
    limit: f64,
}

impl Condition {
    /// Reads a metric, `>` or `<`, and a ratio.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parse = || {
            let at = text.find(['<', '>'])?;
            let (key, limit) = (text[..at].trim(), text[at + 1..].trim());
            let key = COMPARED.iter().find(|c| c.key == key)?.key;
            let limit = limit.parse().ok().filter(|l: &f64| l.is_normal())?;
            let is_above = text[at..].starts_with('>');
            let beyond = if is_above { Greater } else { Less };
            Some(Self { text: text.into(), key, beyond, limit })
        };
        let keys = COMPARED.each_ref().map(|compared| compared.key).join(", ");
        parse().ok_or_else(|| {
            format!("give one of {keys}, then > or <, then a ratio: 'cpu>1.05'")
        })
    }

    /// Where the condition holds: the ratio lies beyond the limit, and is more
    /// than noise. A server that has answered nothing in some round, and did
    /// before, fulfils every condition; and so does one without a ratio, since
    /// a gate that compares nothing would let everything pass.
    pub(crate) fn found(
        &self,
        before: &Results,
        after: &Results,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let is_gone = |old: &&Row| after.row(&old.load, &old.server).is_none();
        let gone = before.rows().filter(is_gone);
        found.extend(
            gone.map(|r| format!("{}: not in the second run", r.name())),
        );
        for row in after.rows() {
            let name = row.name();
            let mut find = |what: &str| found.push(format!("{name}: {what}"));
            let Some(old) = before.row(&row.load, &row.server) else {
                find("not in the first run");
                continue;
            };
            let as_before = row.skipped == old.skipped && !row.client_failed;
            if row.skipped.is_some() && as_before {
                continue; // known to be so, and on purpose
            }
            if row.silent_rounds() > old.silent_rounds() {
                find("a round without a reply in time");
            } else if row.is_unreliable() && !old.is_unreliable() {
                let [errors, requests] = row.failures();
                find(&format!("{errors} errors in {requests} requests"));
            }
            if let Some(text) = self.verdict(row, old) {
                find(&text);
            }
        }
        found
    }

    /// What is to be said of a row, beside the same one of the run before.
    fn verdict(&self, row: &Row, old: &Row) -> Option<String> {
        let Self { text, key, beyond, limit } = self;
        let differences = between_runs(row, old);
        let because = match differences.iter().find(|d| d.key == *key) {
            None => "each run needs two rounds or more with a figure",
            Some(d) if d.ratio.value.partial_cmp(limit) != Some(*beyond) => {
                return None;
            }
            Some(d) if d.is_flattered => "the better run has failures",
            Some(Difference { ratio, is_significant, .. }) => {
                let found = format!("{text} ({key} is {:.2})", ratio.value);
                return is_significant.then_some(found);
            }
        };
        Some(format!("{key} cannot be compared: {because}"))
    }
}

/// Whether two runs can be compared. Two machines may be, but not by a gate
/// (`strict`): then what they differ in is a note.
pub(crate) fn check(
    before: &Results,
    after: &Results,
    strict: bool,
) -> Result<String, String> {
    let (mut refused, mut noted) = (Vec::new(), Vec::new());
    let shared = after
        .loads
        .iter()
        .filter_map(|load| Some((load, before.load(&load.name)?)));
    let shared: Vec<_> = shared.collect();
    if shared.is_empty() {
        refused.push("all loads".into());
    }
    // Of an interrupted run the figures are the reader's to judge.
    let runs = [("first", before), ("second", after)].into_iter();
    let cut = runs.filter(|(_, run)| strict && run.interrupted);
    refused.extend(cut.map(|(name, _)| format!("the {name} was interrupted")));
    let others = shared.iter().filter(|(load, old)| old != load);
    refused.extend(others.map(|(load, _)| format!("the load {}", load.name)));
    type Field = fn(&Setup) -> String;
    let fields: [(bool, &str, Field); 5] = [
        (true, "--timeout", |s| s.timeout.to_string()),
        (true, "--backlog", |s| s.backlog.to_string()),
        (strict, "the kernel", |s| s.kernel.clone()),
        (strict, "the processor", |s| s.processor.clone()),
        (strict, "the processors that are used", |s| s.affinity.clone()),
    ];
    for (matters, name, of) in fields {
        let (old, new) = (of(&before.setup), of(&after.setup));
        if old != new {
            let list = if matters { &mut refused } else { &mut noted };
            list.push(format!("{name} ({old}; {new})"));
        }
    }
    if !refused.is_empty() {
        let refused = refused.join("; ");
        return Err(format!("the two runs cannot be compared: {refused}"));
    }
    let noted = noted.join("; ");
    let differ = format!("They also differ in {noted}\n");
    Ok(if noted.is_empty() { noted } else { differ })
}
