//! Two runs next to each other: two machines, or two versions.

use super::table::{WIDTH, ratio_row, ratio_titles};
use crate::analysis::comparison::between_runs;
use crate::results::row::{Results, Row, Setup};
use crate::results::units::{align, wrap};

/// How the figures of `after` differ from those of `before`.
pub(crate) fn diff(before: &Results, after: &Results) -> String {
    let mut lines = vec![ratio_titles("server")];
    let mut single = Vec::new();
    for row in after.rows.iter().filter(|row| !row.again) {
        match before.row(&row.load, &row.server) {
            Some(old) => {
                let found = between_runs(row, old);
                lines.push(ratio_row(&row.load, &row.server, &found));
            }
            None => single.push(row.name()),
        }
    }
    let is_gone =
        |row: &&Row| !row.again && after.row(&row.load, &row.server).is_none();
    single.extend(before.rows.iter().filter(is_gone).map(Row::name));

    let mut text = format!(
        "{}\nThe second run as so many times the first [95 % interval]; * is a \
         difference.\nFirst:  {}\nSecond: {}\n",
        align(&lines, 2),
        described(&before.setup),
        described(&after.setup)
    );
    if !single.is_empty() {
        let line = format!("In one of the runs only: {}", single.join("; "));
        text += &(wrap(&line, WIDTH, "  ") + "\n");
    }
    text
}

fn described(setup: &Setup) -> String {
    let Setup { date, version, kernel, processor, rounds, .. } = setup;
    let text = format!(
        "{date}, version {version}, Linux {kernel}, {processor}, {rounds} \
         rounds"
    );
    wrap(&text, WIDTH - 8, "        ")
}
