//! All results as text: for a terminal, for a page, for a program.

use serde_json::{Value, json};

use super::sentences::{self, rounds};
use super::table::{WIDTH, ratio_rows, rows};
use crate::analysis::comparison::differences;
use crate::results::row::Results;
use crate::results::units::{align, wrap};

const LEGEND: &str = "us/req is CPU time a request, in microseconds, of all \
    processes of the server";

/// What stands in the terminal: the table, what its rows are, and what they
/// mean.
pub(crate) fn text(results: &Results) -> String {
    let mut text = align(&rows(results), 2) + "\n";
    let mut paragraph = |line: &str, indent: &str| {
        text += &wrap(line, WIDTH, indent);
        text.push('\n');
    };
    for load in &results.loads {
        paragraph(&format!("{}: {}", load.name, load.description), "  ");
    }
    paragraph(&medians(results), "  ");
    for (title, sentences) in sentences::sections(results) {
        paragraph("", "");
        paragraph(title, "");
        for sentence in sentences {
            paragraph(&format!("- {sentence}"), "  ");
        }
    }
    text
}

/// What the table is made of.
fn medians(results: &Results) -> String {
    let setup = &results.setup;
    format!(
        "Medians of {}, Linux {}, {}. {LEGEND}.",
        rounds(results),
        setup.kernel,
        setup.affinity
    )
}

/// Every ratio, as it stands in the terminal.
pub(crate) fn ratios(results: &Results) -> String {
    let mut lines = ratio_rows(results);
    let too_wide = |lines: &[Vec<String>]| {
        align(lines, 2).lines().any(|line| line.chars().count() > WIDTH)
    };
    let mut about = String::from("* is a difference");
    if too_wide(&lines) {
        lines.iter_mut().for_each(|line| line.truncate(5));
        about += "; memory is in --json and --markdown";
    }
    format!("{}{about}\n", align(&lines, 2))
}

/// The same as the terminal has, for a page or an issue.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = markdown_table(&rows(results)) + "\n";
    for load in &results.loads {
        text += &format!("- **{}**: {}\n", load.name, load.description);
    }
    text += &format!("\n{}\n", medians(results));
    for (title, sentences) in sentences::sections(results) {
        text += &format!("\n### {title}\n\n");
        for sentence in sentences {
            text += &format!("- {sentence}\n");
        }
    }
    text + "\n" + &markdown_table(&ratio_rows(results))
}

fn markdown_table(lines: &[Vec<String>]) -> String {
    let line = |cells: &Vec<String>| {
        format!("| {} |\n", cells.join(" | ").replace('*', "\\*"))
    };
    let columns = lines.first().map_or(0, Vec::len);
    let rule = (0..columns).map(|n| if n < 2 { " --- |" } else { " ---: |" });
    let rule = format!("|{}\n", rule.collect::<String>());
    let mut lines = lines.iter().map(line);
    let titles = lines.next().unwrap_or_default();
    titles + &rule + &lines.collect::<String>()
}

/// All results, and every comparison, as one JSON object.
pub(crate) fn json(results: &Results) -> String {
    let compared: Vec<Value> = results
        .busy_loads()
        .flat_map(|load| results.rows_of(&load.name))
        .filter(|row| row.server != results.baseline)
        .map(|row| {
            json!({
                "load": row.load,
                "server": row.server,
                "over": results.baseline,
                "ratios": differences(results, row),
            })
        })
        .collect();
    let mut object = json!(results);
    object["comparisons"] = compared.into();
    format!("{object}\n")
}
