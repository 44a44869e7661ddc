//! The tables, as they stand in the terminal: at most 100 columns wide.

use crate::analysis::comparison::{
    COMPARED, Difference, against_itself, differences,
};
use crate::analysis::statistics::Ratio;
use crate::results::metric::{
    CPU, CPU_PER_REQUEST, ERRORS, MAX, MEMORY, Metric, P50, P99, RPS, THREADS,
};
use crate::results::row::Results;
use crate::results::units::{align, three_digits};

/// The width of a terminal that lines are to fit.
pub(crate) const WIDTH: usize = 100;

/// What the article's readers look for.
pub(crate) const COLUMNS: [Metric; 9] =
    [RPS, P50, P99, MAX, ERRORS, CPU_PER_REQUEST, CPU, MEMORY, THREADS];
/// Columns that go, in this order, where names are too long for all.
const OPTIONAL: [Metric; 3] = [CPU, MAX, THREADS];

pub(crate) fn is_too_wide(lines: &[Vec<String>]) -> bool {
    align(lines, 2).lines().any(|line| line.chars().count() > WIDTH)
}

/// A row for each load and server.
pub(crate) fn rows(results: &Results) -> Vec<Vec<String>> {
    let mut columns = COLUMNS.to_vec();
    for optional in &OPTIONAL {
        if is_too_wide(&rows_with(results, &columns)) {
            columns.retain(|column| column.name != optional.name);
        }
    }
    rows_with(results, &columns)
}

/// The same in these columns, however wide.
pub(crate) fn rows_with(
    results: &Results,
    columns: &[Metric],
) -> Vec<Vec<String>> {
    let titles = columns.iter().map(|column| column.name.to_owned());
    let mut lines = vec![line("load", "server", titles)];
    for load in &results.loads {
        for (index, row) in results.rows_of(&load.name).enumerate() {
            let load = if index == 0 { load.name.as_str() } else { "" };
            let cells = columns.iter().map(|column| column.format(row));
            lines.push(line(load, &row.server, cells));
        }
    }
    lines
}

/// Every ratio with its interval, also where it says that there is no
/// difference: a line for each load and each server but the baseline, which
/// stands there against itself.
pub(crate) fn ratio_rows(results: &Results) -> Vec<Vec<String>> {
    let mut lines = vec![ratio_titles(&format!("over {}", results.baseline))];
    for load in results.busy_loads() {
        for row in results.rows_of(&load.name) {
            if row.server != results.baseline {
                let found = differences(results, row);
                lines.push(ratio_row(&load.name, &row.server, &found));
            }
        }
        let itself = against_itself(results, &load.name);
        lines.push(ratio_row(&load.name, "itself (A/A)", &itself));
    }
    lines
}

pub(crate) fn ratio_titles(servers: &str) -> Vec<String> {
    line("load", servers, COMPARED.iter().map(|c| c.key.to_owned()))
}

/// One line: load and server, then each ratio; `*` where it is a difference.
pub(crate) fn ratio_row(
    load: &str,
    server: &str,
    found: &[Difference],
) -> Vec<String> {
    let cells = COMPARED.iter().map(|compared| {
        let found = found.iter().find(|d| d.key == compared.key);
        found.map_or("-".into(), |difference| {
            let [value, interval] = with_interval(&difference.ratio);
            let sign = if difference.is_significant { "*" } else { " " };
            format!("{value}{sign}{interval}")
        })
    });
    line(load, server, cells)
}

fn line(
    load: &str,
    server: &str,
    cells: impl Iterator<Item = String>,
) -> Vec<String> {
    [load.to_owned(), server.to_owned()].into_iter().chain(cells).collect()
}

/// A ratio and its interval: `0.58` and `[0.55, 0.61]`.
pub(crate) fn with_interval(ratio: &Ratio) -> [String; 2] {
    let [value, low, high] =
        [ratio.value, ratio.low, ratio.high].map(|ratio| match ratio {
            r if r < 0.1 => format!("{r:.3}"),
            r if r < 10.0 => format!("{r:.2}"),
            r if r < 1e3 => three_digits(r),
            _ => "999+".into(),
        });
    [value, format!("[{low}, {high}]")]
}
