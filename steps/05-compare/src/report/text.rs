//! All results as text: for a terminal, for a page, for a program.

use std::fmt::Display;

use serde_json::{Value, json};

use super::sentences::{machine, rounds, sections, unreliable};
use super::table::{
    WIDTH, is_too_wide, ratio_row, ratio_rows, ratio_titles, rows, rows_with,
};
use crate::analysis::comparison::{between_runs, differences};
use crate::results::metric::Metric;
use crate::results::row::{Results, Row};
use crate::results::units::{align, wrap};

/// For the terminal: the table, what its rows are, and what they mean.
pub(crate) fn text(results: &Results) -> String {
    let mut lines: Vec<_> = described_loads(results).collect();
    lines.push(medians(results));
    for (title, sentences) in sections(results) {
        lines.extend([String::new(), title.into()]);
        lines.extend(sentences.iter().map(|sentence| format!("- {sentence}")));
    }
    let lines = lines.iter().map(|line| wrap(line, WIDTH, "  ") + "\n");
    format!("{}\n{}", align(&rows(results), 2), lines.collect::<String>())
}

fn described_loads(results: &Results) -> impl Iterator<Item = String> {
    let loads = results.loads.iter();
    loads.map(|load| format!("{}: {}", load.name, load.description))
}

fn medians(results: &Results) -> String {
    let setup = &results.setup;
    format!(
        "Medians of {}, Linux {}, {}. us/req is CPU time a request, in \
         microseconds, of all processes of the server.",
        rounds(results),
        setup.kernel,
        setup.affinity
    )
}

pub(crate) fn ratios(results: &Results) -> String {
    let mut lines = ratio_rows(results);
    let mut about = "* is a difference";
    if is_too_wide(&lines) {
        lines.iter_mut().for_each(|line| line.truncate(5));
        about = "* is a difference; memory is in --json and --markdown";
    }
    format!("{}{about}\n", align(&lines, 2))
}

/// The same as the terminal has, for a page or an issue, in these columns.
pub(crate) fn markdown(results: &Results, columns: &[Metric]) -> String {
    let mut text = String::new();
    for (title, sentences) in sections(results) {
        let sentences = sentences.iter().map(|sentence| escaped(sentence));
        text += &format!("## {title}\n\n{}\n", list(sentences));
    }
    text + &format!(
        "## Figures\n\n{}\n{}\n{}\n\n## Every ratio\n\n{}",
        table(&rows_with(results, columns)),
        list(described_loads(results)),
        medians(results),
        table(&ratio_rows(results))
    )
}

/// With what Markdown and HTML would take for their own: a server may have said
/// anything, and have any name.
pub(super) fn escaped(text: &str) -> String {
    let escape = |character| match character {
        '\\' | '`' | '*' | '<' | '&' | '|' => format!("\\{character}"),
        '\n' => " ".into(),
        _ => String::from(character),
    };
    text.chars().map(escape).collect()
}

/// The items of a list in Markdown.
pub(crate) fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| format!("- {item}\n")).collect()
}

fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let rule = (0..columns).map(|n| if n < 2 { " --- |" } else { " ---: |" });
    let rule = format!("|{}\n", rule.collect::<String>());
    let mut lines = lines.iter().map(|cells| {
        let cells: Vec<_> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    });
    lines.next().unwrap_or_default() + &rule + &lines.collect::<String>()
}

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
        let (machine, rounds) = (machine(setup), rounds(results));
        let text = format!("version {}, {machine}, {rounds}", setup.version);
        wrap(&text, width, "        ")
    };
    let mut text = format!(
        "{}\nThe second run as so many times the first [95 % interval]; * is a \
         difference.\nFirst:  {}\nSecond: {}\n",
        align(&lines, 2),
        described(before),
        described(after)
    );
    let mut notes = Vec::new();
    if !single.is_empty() {
        notes.push(format!("In one of the runs only: {}", single.join("; ")));
    }
    for (run, results) in [("First", before), ("Second", after)] {
        let failures = results.rows().filter_map(unreliable);
        notes.extend(failures.map(|failure| format!("{run}: {failure}")));
    }
    for note in notes {
        text += &(wrap(&note, WIDTH, "  ") + "\n");
    }
    text
}

/// All results, and every comparison, as one JSON object.
pub(crate) fn json(results: &Results) -> String {
    let others = results.rows().filter(|row| row.server != results.baseline);
    let compared = others.filter_map(|row| {
        let load = results.load(&row.load).filter(|load| !load.idle)?;
        Some(json!({
            "load": load.name,
            "server": row.server,
            "over": results.baseline,
            "ratios": differences(results, row),
        }))
    });
    let mut object = json!(results);
    object["comparisons"] = compared.collect::<Vec<Value>>().into();
    format!("{object}\n")
}
