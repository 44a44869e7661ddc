//! Every ratio with its interval, also where it says that there is no
//! difference: for those who want to see how sure that is.

use super::table::align;
use super::verdict::two_decimals;
use crate::comparison::{Difference, JUDGED, against_itself, differences};
use crate::results::{Load, Results};

/// What each column holds: load and server, then a ratio by each measure.
pub(crate) fn titles(results: &Results) -> Vec<String> {
    let over = format!("over {}", results.baseline);
    let names = JUDGED.iter().map(|judged| judged.name.to_owned());
    ["load".to_owned(), over].into_iter().chain(names).collect()
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
    let others = others
        .map(|row| line(load, &row.server, &differences(row, baseline, None)));
    let itself = against_itself(results, &load.name);
    others.chain([line(load, "itself (A/A)", &itself)]).collect()
}

fn line(load: &Load, server: &str, found: &[Difference]) -> Vec<String> {
    let cells = JUDGED.iter().map(|judged| {
        let found = found.iter().find(|d| d.name == judged.name);
        found.map_or("-".into(), |Difference { ratio, .. }| {
            let [value, low, high] =
                [ratio.value, ratio.low, ratio.high].map(two_decimals);
            format!("{value} [{low}, {high}]")
        })
    });
    [load.name.clone(), server.to_owned()].into_iter().chain(cells).collect()
}

/// All of it, as it stands in the terminal.
pub(crate) fn text(results: &Results) -> String {
    let mut table = vec![titles(results)];
    table.extend(lines(results));
    align(&table, 2)
}
