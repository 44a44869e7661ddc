//! Whether two runs can be compared, and whether one is worse than it may be.

use super::comparison::{COMPARED, between_runs};
use crate::results::row::{Results, Setup};

/// What `--fail-if` asks for: `cpu>1.05`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    text: String,
    key: &'static str,
    above: bool,
    limit: f64,
}

impl Condition {
    /// Reads a metric, `>` or `<`, and a ratio.
    ///
    /// # Errors
    /// What to type instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parse = || {
            let at = text.find(['<', '>'])?;
            let (key, limit) = (text[..at].trim(), text[at + 1..].trim());
            let key = COMPARED.iter().find(|c| c.key == key)?.key;
            let limit = limit.parse().ok().filter(|l: &f64| l.is_normal())?;
            let above = text.as_bytes()[at] == b'>';
            Some(Self { text: text.into(), key, above, limit })
        };
        let keys = COMPARED.each_ref().map(|compared| compared.key).join(", ");
        parse().ok_or_else(|| {
            format!("give one of {keys}, then > or <, then a ratio: 'cpu>1.05'")
        })
    }

    /// Where the condition holds: the ratio lies beyond the limit, and is more
    /// than noise. A server that has answered nothing in some round, and did
    /// before, fulfils every condition.
    pub(crate) fn found(
        &self,
        before: &Results,
        after: &Results,
    ) -> Vec<String> {
        let mut found = Vec::new();
        for row in after.rows.iter().filter(|row| !row.again) {
            let Some(old) = before.row(&row.load, &row.server) else {
                found.push(format!("{}: not in the first run", row.name()));
                continue;
            };
            if row.dead_rounds() > old.dead_rounds() {
                found.push(format!("{}: a round without a reply", row.name()));
            }
            let differences = between_runs(row, old);
            let mut beyond = differences.iter().filter(|d| {
                let value = d.ratio.value;
                let is_beyond = if self.above {
                    value > self.limit
                } else {
                    value < self.limit
                };
                d.key == self.key && d.is_significant && is_beyond
            });
            found.extend(beyond.next().map(|d| {
                let (name, value) = (row.name(), d.ratio.value);
                format!("{name}: {} ({} is {value:.2})", self.text, d.key)
            }));
        }
        found
    }
}

/// What makes the figures of two runs incomparable: `true` for what no two
/// runs may differ in, `false` for what a gate may not, and two machines do.
pub(crate) fn incomparable(
    before: &Results,
    after: &Results,
) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for load in &after.loads {
        let old = before.loads.iter().find(|old| old.name == load.name);
        if old.is_some_and(|old| old != load) {
            found.push((true, format!("the load {}", load.name)));
        }
    }
    let shared = |load: &str| before.loads.iter().any(|old| old.name == load);
    if !after.loads.iter().any(|load| shared(&load.name)) {
        found.push((true, "all loads".into()));
    }
    let (old, new) = (&before.setup, &after.setup);
    type Field = fn(&Setup) -> String;
    let fields: [(bool, &str, Field); 5] = [
        (true, "--timeout", |s| s.timeout.to_string()),
        (true, "--backlog", |s| s.backlog.to_string()),
        (false, "the kernel", |s| s.kernel.clone()),
        (false, "the processor", |s| s.processor.clone()),
        (false, "the processors that are used", |s| s.affinity.clone()),
    ];
    for (always, name, of) in fields {
        let (old, new) = (of(old), of(new));
        if old != new {
            found.push((always, format!("{name} ({old}; {new})")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_metric_a_sign_and_a_ratio() {
        let condition = Condition::parse("cpu>1.05").expect("valid");
        assert_eq!((condition.key, condition.above), ("cpu", true));
        assert!(Condition::parse("rps < 0.9").is_ok());
        for wrong in ["", "cpu", "cpu>", "speed>1", "cpu>nan", "cpu=1"] {
            assert!(Condition::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn runs_of_different_loads_are_not_compared() {
        let mut one = Results::default();
        one.loads.push(crate::results::row::Load::default());
        let mut other =
            Results { loads: one.loads.clone(), ..Results::default() };
        assert!(incomparable(&one, &other).is_empty());
        other.setup.kernel = "7".into();
        assert!(!incomparable(&one, &other)[0].0);
        other.loads[0].duration = 9.0;
        assert!(incomparable(&one, &other)[0].0);
    }
}
