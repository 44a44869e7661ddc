//! Two runs next to each other: two machines, or two versions.

use super::table::align;
use super::{format, ratios};
use crate::comparison::{Difference, between_runs};
use crate::results::Results;

/// How the figures of `after` differ from those of `before`.
pub(crate) fn diff(before: &Results, after: &Results) -> String {
    let mut lines = vec![ratios::titles_with("server")];
    let mut single = Vec::new();
    for row in after.rows.iter().filter(|row| !row.again) {
        match before.row(&row.load, &row.server) {
            Some(old) => {
                let found = between_runs(row, old);
                lines.push(ratios::line(&row.load, &row.server, &found, shown));
            }
            None => single.push(format!("{}, {}", row.load, row.server)),
        }
    }
    let gone = before.rows.iter().filter(|row| {
        !row.again && after.row(&row.load, &row.server).is_none()
    });
    single.extend(gone.map(|row| format!("{}, {}", row.load, row.server)));

    let mut text = format!(
        "{}\nThe second run as so many times the first [95 % interval]; = is \
         no difference.\nFirst:  {}.\nSecond: {}.\n",
        align(&lines, 2),
        before.machine,
        after.machine
    );
    if !single.is_empty() {
        text += &format!("In one of the runs only: {}\n", single.join("; "));
    }
    text
}

fn shown(difference: &Difference) -> String {
    let [value, interval] = format::with_interval(&difference.ratio);
    let sign = if difference.is_real { " " } else { "=" };
    format!("{value} {interval} {sign}")
}
