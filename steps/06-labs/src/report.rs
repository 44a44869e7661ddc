//! What a lab prints, for a reader and for a program.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, iter};

use compare::results::units::{align, wrap};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::Error;
use compare::report::plot::Plot;

/// One line of a lab's table. Its fields are what `--json` prints.
// ANCHOR: row
pub(crate) trait TableRow: Serialize {
    /// For each column what stands above it, and what stands in this row.
    fn cells(&self) -> Vec<(&'static str, String)>;
}
// ANCHOR_END: row

/// A lab's output.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    lab: &'static str,
    question: String,
    json: bool,
    out: Option<&'a Path>,
    json_fields: Map<String, Value>,
    status: ExitCode,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        lab: &'static str,
        question: String,
        json: bool,
        out: Option<&'a Path>,
    ) -> Self {
        let json_fields = Map::from_iter([("lab".into(), json!(lab))]);
        Self {
            lab,
            question,
            json,
            out,
            json_fields,
            status: ExitCode::SUCCESS,
        }
    }

    /// Prints the question.
    pub(crate) fn open(&mut self) {
        self.line(format!("{}: {}\n", self.lab, self.question));
    }

    /// Prints a line now, so that the reader sees what is happening.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        if !self.json {
            self.print(&format!("{}\n", text.as_ref()));
        }
    }

    /// Prints what was seen, and the answer in the light of it.
    pub(crate) fn finish<R: TableRow>(&mut self, rows: &[R], answer: &str) {
        self.table(rows);
        self.json_fields.insert("answer".into(), json!(answer));
        self.line(wrap(answer, 78, ""));
    }

    fn table<R: TableRow>(&mut self, rows: &[R]) {
        self.json_fields.insert("rows".into(), json!(rows));
        let cells: Vec<_> = rows.iter().map(R::cells).collect();
        let Some(first) = cells.first() else { return };
        let headings = first.iter().map(|cell| cell.0.into()).collect();
        let values = |row: &Vec<(_, String)>| {
            row.iter().map(|cell| cell.1.clone()).collect()
        };
        let lines: Vec<Vec<String>> =
            iter::once(headings).chain(cells.iter().map(values)).collect();
        self.line("");
        for line in align(&lines, 1).lines() {
            self.line(format!("  {line}"));
        }
        self.line("");
    }

    /// Records a figure that the table has no room for.
    pub(crate) fn record(&mut self, name: &str, value: impl Serialize) {
        self.json_fields.insert(name.into(), json!(value));
    }

    /// Writes `plot` as a file, if that was asked for.
    pub(crate) fn plot(&mut self, plot: &Plot) -> Result<(), Error> {
        let Some(folder) = self.out else { return Ok(()) };
        let path: PathBuf = folder.join(format!("{}.svg", self.lab));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, plot.svg()))
            .map_err(Error::while_doing(path.display().to_string()))?;
        self.line(format!("\nThe plot: {}", path.display()));
        Ok(())
    }

    /// The lab is over.
    pub(crate) fn close(mut self) -> ExitCode {
        if self.json {
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
    let Err(error) = protocol::print(text) else { return ExitCode::SUCCESS };
    let _ = writeln!(io::stderr(), "[!] no output: {error}");
    ExitCode::FAILURE
}
