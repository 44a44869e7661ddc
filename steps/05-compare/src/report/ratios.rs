//! Every ratio with its interval, also where it says that there is no
//! difference: for those who want to see how sure that is.

use super::format::with_interval;
use super::table::align;
use crate::comparison::{Difference, JUDGED, against_itself, differences};
use crate::results::{Load, Results};

/// What each column holds: load and server, then a ratio by each measure.
pub(crate) fn titles(results: &Results) -> Vec<String> {
    titles_with(&format!("over {}", results.baseline))
}

/// The same, with this title over the servers.
pub(crate) fn titles_with(servers: &str) -> Vec<String> {
    let names = JUDGED.iter().map(|judged| judged.name);
    ["load", servers].into_iter().chain(names).map(Into::into).collect()
}

/// A line for each load and each server but the baseline; that stands there
/// against itself.
pub(crate) fn lines(results: &Results) -> Vec<Vec<String>> {
    let busy = results.loads.iter().filter(|load| !load.idle);
    busy.flat_map(|load| lines_of(results, load)).collect()
}

fn lines_of(results: &Results, load: &Load) -> Vec<Vec<String>> {
    let Some(baseline) = results.row(&load.name, &results.baseline) else {
        return Vec::new();
    };
    let others =
        results.rows_of(&load.name).filter(|row| row.server != baseline.server);
    let others = others.map(|row| {
        line(&load.name, &row.server, &differences(row, baseline, None), shown)
    });
    let itself = against_itself(results, &load.name);
    others.chain([line(&load.name, "itself (A/A)", &itself, shown)]).collect()
}

/// One line: load and server, then `show` of each ratio.
pub(crate) fn line(
    load: &str,
    server: &str,
    found: &[Difference],
    show: impl Fn(&Difference) -> String,
) -> Vec<String> {
    let cells = JUDGED.iter().map(|judged| {
        let found = found.iter().find(|d| d.name == judged.name);
        found.map_or("-".into(), &show)
    });
    [load, server].map(String::from).into_iter().chain(cells).collect()
}

fn shown(difference: &Difference) -> String {
    with_interval(&difference.ratio).join(" ")
}

/// All of it, as it stands in the terminal.
pub(crate) fn text(results: &Results) -> String {
    let mut table = vec![titles(results)];
    table.extend(lines(results));
    align(&table, 2)
}
