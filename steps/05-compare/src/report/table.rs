//! The table, as it stands in the terminal.

use crate::measures::{
    CPU, CPU_PER_REQUEST, ERRORS, MAX, MEAN, MEMORY, Measure, P50, P99, RPS,
    THREADS,
};
use crate::results::Results;

/// What the article's readers look for.
const COLUMNS: [Measure; 10] =
    [RPS, MEAN, P50, P99, MAX, ERRORS, CPU_PER_REQUEST, CPU, MEMORY, THREADS];

/// A row for each load and server.
pub(crate) fn table(results: &Results) -> String {
    let titles = COLUMNS.iter().map(|column| column.name.to_owned());
    let mut lines = vec![line("load", "server", titles)];
    for load in &results.loads {
        for (index, row) in results.rows_of(&load.name).enumerate() {
            let load = if index == 0 { load.name.as_str() } else { "" };
            let cells = COLUMNS.iter().map(|column| column.show(row));
            lines.push(line(load, &row.server, cells));
        }
    }
    align(&lines, 2)
}

fn line(
    load: &str,
    server: &str,
    cells: impl Iterator<Item = String>,
) -> Vec<String> {
    [load.to_owned(), server.to_owned()].into_iter().chain(cells).collect()
}

/// Puts the cells below one another: the first `names` columns to the left,
/// numbers to the right.
pub(crate) fn align(lines: &[Vec<String>], names: usize) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| {
            if column < names {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        let joined = cells.collect::<Vec<_>>().join("  ");
        text += joined.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn names_stand_to_the_left_and_numbers_to_the_right() {
        let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let lines = [cells("server", "RPS"), cells("c", "12345")];
        assert_eq!(align(&lines, 1), "server    RPS\nc       12345\n");
    }
}
