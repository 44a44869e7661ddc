//! Whether two runs can be compared, and whether one is worse than it may be.

use std::cmp::Ordering::{self, Greater, Less};

use super::comparison::{COMPARED, between_runs};
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
            let Some(old) = before.row(&row.load, &row.server) else {
                found.push(format!("{}: not in the first run", row.name()));
                continue;
            };
            if row.skipped.is_some() && row.skipped == old.skipped {
                continue; // known to be so, and on purpose
            }
            if row.dead_rounds() > old.dead_rounds() {
                found.push(format!("{}: a round without a reply", row.name()));
            }
            let (name, key) = (row.name(), self.key);
            let differences = between_runs(row, old);
            let Some(d) = differences.iter().find(|d| d.key == key) else {
                found.push(format!(
                    "{name}: {key} cannot be compared: each run needs two \
                     rounds or more with a figure"
                ));
                continue;
            };
            let value = d.ratio.value;
            let order = value.partial_cmp(&self.limit);
            if d.is_significant && order == Some(self.beyond) {
                let text = &self.text;
                found.push(format!("{name}: {text} ({key} is {value:.2})"));
            }
        }
        found
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
