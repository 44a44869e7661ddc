//! The table, as it stands in the terminal.

use crate::figures::Figures;
use crate::rounds::{Plan, Results, Row};
use crate::statistics::median;

use super::format::three_digits;

/// A column: its heading, and its figure in the unit that the heading names.
struct Column {
    title: &'static str,
    of: fn(&Figures) -> f64,
    /// How the rounds come to one figure.
    over_rounds: Over,
}

/// A median would hide a single bad round where that is what matters.
#[derive(Clone, Copy)]
enum Over {
    Median,
    Worst,
    Sum,
}

// ANCHOR: columns
const COLUMNS: [Column; 10] = [
    median_of("RPS", |f| f.rps),
    median_of("mean ms", |f| f.mean * 1e3),
    median_of("p50 ms", |f| f.p50 * 1e3),
    median_of("p99 ms", |f| f.p99 * 1e3),
    Column { title: "max ms", of: |f| f.max * 1e3, over_rounds: Over::Worst },
    Column { title: "errors", of: Figures::failed, over_rounds: Over::Sum },
    median_of("CPU us/req", |f| f.cpu_per_request * 1e6),
    median_of("CPU %", |f| f.cpu * 1e2),
    median_of("memory MiB", |f| f.memory / 1_048_576.0),
    Column { title: "threads", of: |f| f.threads, over_rounds: Over::Worst },
];
// ANCHOR_END: columns

const fn median_of(title: &'static str, of: fn(&Figures) -> f64) -> Column {
    Column { title, of, over_rounds: Over::Median }
}

impl Column {
    fn figure(&self, row: &Row) -> Option<f64> {
        let figures = row.rounds.iter().map(self.of);
        match self.over_rounds {
            Over::Median => median(figures),
            Over::Worst => figures.reduce(f64::max),
            Over::Sum => figures.reduce(|a, b| a + b),
        }
    }
}

/// The whole table, and the notes to its rows.
pub(crate) fn table(plan: &Plan, results: &Results) -> String {
    let mut lines = vec![heading()];
    let mut last_load = "";
    for row in &results.rows {
        let (load, server) = plan.names(row);
        let shown = if load == last_load { "" } else { load };
        lines.push(line(shown, server, &cells(row)));
        last_load = load;
    }
    align(&lines) + "\n" + &notes(plan, results)
}

fn heading() -> Vec<String> {
    let titles = COLUMNS.iter().map(|column| column.title.to_owned());
    line("load", "server", &titles.collect::<Vec<_>>())
}

fn line(load: &str, server: &str, cells: &[String]) -> Vec<String> {
    [load.to_owned(), server.to_owned()]
        .into_iter()
        .chain(cells.iter().cloned())
        .collect()
}

fn cells(row: &Row) -> Vec<String> {
    let show = |column: &Column| match (column.figure(row), column.over_rounds)
    {
        (None, _) => "-".into(),
        (Some(count), Over::Sum) => format!("{count}"),
        (Some(figure), _) => three_digits(figure),
    };
    COLUMNS.iter().map(show).collect()
}

/// Names to the left, numbers to the right.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| {
            if column < 2 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        text += &cells.collect::<Vec<_>>().join("  ");
        text.push('\n');
    }
    text
}

/// What the table alone does not tell.
fn notes(plan: &Plan, results: &Results) -> String {
    let mut text = String::new();
    for scenario in &plan.scenarios {
        let (name, load) = (scenario.name, scenario.describe());
        text += &format!("{name}: {load}\n");
    }
    for row in &results.rows {
        let (load, server) = plan.names(row);
        for note in row.notes() {
            text += &format!("{load}, {server}: {note}\n");
        }
    }
    text
}
