//! What a lab prints, for a reader and for a program.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use compare::results::units::{align, wrap};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Options;
use crate::figures::{bytes, count, seconds};
use compare::report::plot::Plot;

/// One cell of a lab's table, of what `--json` prints of a row: the heading is
/// the field's name, whose end says the unit.
fn cell(field: &str, value: &Value) -> [String; 2] {
    let (name, unit) = field.rsplit_once('_').unwrap_or((field, ""));
    let number = value.as_f64().unwrap_or(f64::NAN);
    let (name, text) = match unit {
        "s" => (name, seconds(number)),
        "ns" => (name, format!("{number:.3} ns")),
        "bytes" => (name, bytes(number)),
        "percent" => (name, format!("{number:.0} %")),
        "ratio" => (name, format!("{number:.2}")),
        _ => (field, plain(value)),
    };
    let text = if value.is_null() { "–".into() } else { text };
    [name.replace('_', " "), text]
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            all.iter().map(plain).collect::<Vec<_>>().join(" + ")
        }
        number => count(number.as_f64().unwrap_or(0.0) as usize),
    }
}

#[derive(Debug)]
pub(crate) struct Report<'a> {
    lab: &'static str,
    options: &'a Options,
    json_fields: Map<String, Value>,
    status: ExitCode,
}

impl<'a> Report<'a> {
    /// Prints the question.
    pub(crate) fn new(
        lab: &'static str,
        question: &str,
        options: &'a Options,
    ) -> Self {
        let json_fields = Map::from_iter([("lab".into(), json!(lab))]);
        let status = ExitCode::SUCCESS;
        let mut report = Self { lab, options, json_fields, status };
        report.line(format!("{lab}: {question}\n"));
        report
    }

    /// Prints a line now, so that the reader sees what is happening.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        if !self.options.json {
            self.print(&format!("{}\n", text.as_ref()));
        }
    }

    /// Prints what was seen, and the answer in the light of it.
    pub(crate) fn finish(&mut self, rows: &[impl Serialize], answer: &str) {
        let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
        let cells = |row: &Value, part: usize| -> Vec<String> {
            let fields = row.as_object().into_iter().flatten();
            fields.map(|(k, v)| cell(k, v)[part].clone()).collect()
        };
        let headings = rows.iter().take(1).map(|row| cells(row, 0));
        let lines = headings.chain(rows.iter().map(|row| cells(row, 1)));
        self.line("");
        for line in align(&lines.collect::<Vec<_>>(), 1).lines() {
            self.line(format!("  {line}"));
        }
        self.line("");
        self.record("rows", &rows);
        self.record("answer", answer);
        self.line(wrap(answer, 78, ""));
    }

    /// Records a figure that the table has no room for.
    pub(crate) fn record(&mut self, name: &str, value: impl Serialize) {
        self.json_fields.insert(name.into(), json!(value));
    }

    /// Writes `plot` as a file, if that was asked for.
    pub(crate) fn plot(&mut self, plot: &Plot) -> Result<()> {
        let Some(folder) = &self.options.out else { return Ok(()) };
        let path = folder.join(format!("{}.svg", self.lab));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, plot.svg()))
            .with_context(|| path.display().to_string())?;
        self.line(format!("\nThe plot: {}", path.display()));
        Ok(())
    }

    /// The lab is over.
    pub(crate) fn close(mut self) -> ExitCode {
        if self.options.json {
            let object = Value::Object(std::mem::take(&mut self.json_fields));
            self.print(&format!("{object}\n"));
        }
        self.status
    }

    /// The lab has failed. What there is so far is printed.
    pub(crate) fn fail(mut self, reason: &str) -> ExitCode {
        let name = self.lab;
        self.record("error", reason);
        self.close();
        // Where stderr cannot be written either, the status is all there is.
        let _ = writeln!(io::stderr(), "[!] {name}: {reason}");
        ExitCode::FAILURE
    }

    /// The lab can't be run here: `setting` is in the way.
    pub(crate) fn skip(mut self, setting: &str) -> ExitCode {
        self.record("skipped", setting);
        self.line(format!("This system does not allow it: {setting}"));
        self.close()
    }

    fn print(&mut self, text: &str) {
        // To say once that nothing can be printed is enough.
        if self.status == ExitCode::SUCCESS {
            self.status = print(text);
        }
    }
}

/// Prints `text` at once, and says what became of that.
pub(crate) fn print(text: &str) -> ExitCode {
    let Err(error) = load_client::print(text) else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "[!] no output: {error}");
    ExitCode::FAILURE
}
