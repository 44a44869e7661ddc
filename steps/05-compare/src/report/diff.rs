//! Two runs next to each other: two machines, or two versions.

use super::table::align;
use super::verdict::two_decimals;
use crate::comparison::{Difference, JUDGED, Judged, between_runs};
use crate::results::{Results, Row};

/// How the figures of `after` differ from those of `before`.
pub(crate) fn diff(before: &Results, after: &Results) -> String {
    let titles = JUDGED.iter().map(|judged| judged.name.to_owned());
    let names = ["load", "server"].map(String::from);
    let mut lines: Vec<Vec<_>> =
        vec![names.into_iter().chain(titles).collect()];
    let mut single = Vec::new();
    for row in after.rows.iter().filter(|row| !row.again) {
        match before.row(&row.load, &row.server) {
            Some(old) => lines.push(line(row, old)),
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

fn line(after: &Row, before: &Row) -> Vec<String> {
    let found = between_runs(after, before);
    let cell = |judged: &Judged| {
        let difference = found.iter().find(|found| found.name == judged.name);
        difference.map_or("-".into(), shown)
    };
    let cells = JUDGED.iter().map(cell);
    let names = [after.load.clone(), after.server.clone()];
    names.into_iter().chain(cells).collect()
}

fn shown(difference: &Difference) -> String {
    let ratio = difference.ratio;
    let [value, low, high] =
        [ratio.value, ratio.low, ratio.high].map(two_decimals);
    let sign = if difference.is_real { " " } else { "=" };
    format!("{value} [{low}, {high}] {sign}")
}
