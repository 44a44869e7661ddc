//! Two runs next to each other: two machines, or two versions.

use super::sentences::machine;
use super::table::{WIDTH, ratio_row, ratio_titles};
use crate::analysis::comparison::between_runs;
use crate::results::row::{Results, Row};
use crate::results::units::{align, wrap};

/// How the figures of `after` differ from those of `before`.
pub(crate) fn diff(before: &Results, after: &Results) -> String {
    let mut lines = vec![ratio_titles("server")];
    for row in after.rows() {
        let old = before.row(&row.load, &row.server);
        let found = old.map(|old| between_runs(row, old));
        lines.extend(found.map(|d| ratio_row(&row.load, &row.server, &d)));
    }
    let only = |one: &Results, other: &Results| -> Vec<String> {
        let is_in = |row: &&Row| other.row(&row.load, &row.server).is_some();
        one.rows().filter(|row| !is_in(row)).map(Row::name).collect()
    };
    let single = [only(after, before), only(before, after)].concat();
    let described = |results: &Results| {
        let (setup, width) = (&results.setup, WIDTH - 8);
        let (machine, rounds) = (machine(setup), setup.rounds);
        let text =
            format!("version {}, {machine}, {rounds} rounds", setup.version);
        wrap(&text, width, "        ")
    };
    let mut text = format!(
        "{}\nThe second run as so many times the first [95 % interval]; * is a \
         difference.\nFirst:  {}\nSecond: {}\n",
        align(&lines, 2),
        described(before),
        described(after)
    );
    if !single.is_empty() {
        let line = format!("In one of the runs only: {}", single.join("; "));
        text += &(wrap(&line, WIDTH, "  ") + "\n");
    }
    text
}
