//! What a lab prints, for a reader and for a program.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, iter};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::labs::Lab;
use crate::plot::Plot;
use crate::trouble::Trouble;

/// One line of a lab's table. Its fields are what `--json` prints.
// ANCHOR: row
pub(crate) trait Row: Serialize {
    /// For each column what stands above it, and what stands in this row.
    fn cells(&self) -> Vec<(&'static str, String)>;
}
// ANCHOR_END: row

/// A lab's output.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    lab: &'a Lab,
    json: bool,
    out: Option<&'a Path>,
    seen: Map<String, Value>,
    status: ExitCode,
}

impl<'a> Page<'a> {
    pub(crate) fn new(lab: &'a Lab, json: bool, out: Option<&'a Path>) -> Self {
        let seen = Map::from_iter([("lab".into(), json!(lab.name))]);
        Self { lab, json, out, seen, status: ExitCode::SUCCESS }
    }

    /// Prints the question.
    pub(crate) fn open(&mut self) {
        self.say(format!("{}: {}\n", self.lab.name, self.lab.question));
    }

    /// Prints a line now, so that the reader sees what is happening.
    pub(crate) fn say(&mut self, text: impl AsRef<str>) {
        if !self.json {
            self.put(&format!("{}\n", text.as_ref()));
        }
    }

    /// Prints what was seen, and the answer in the light of it.
    pub(crate) fn conclude<R: Row>(&mut self, rows: &[R], answer: &str) {
        self.table(rows);
        self.seen.insert("answer".into(), json!(answer));
        for line in wrapped(answer, 78) {
            self.say(line);
        }
    }

    fn table<R: Row>(&mut self, rows: &[R]) {
        self.seen.insert("rows".into(), json!(rows));
        let cells: Vec<_> = rows.iter().map(R::cells).collect();
        let Some(first) = cells.first() else { return };
        let headings = first.iter().map(|cell| cell.0.into()).collect();
        let values = |row: &Vec<(_, String)>| {
            row.iter().map(|cell| cell.1.clone()).collect()
        };
        let lines: Vec<Vec<String>> =
            iter::once(headings).chain(cells.iter().map(values)).collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..first.len()).map(width).collect();
        self.say("");
        for line in &lines {
            self.say(aligned(line, &widths));
        }
        self.say("");
    }

    /// Records a figure that the table has no room for.
    pub(crate) fn record(&mut self, name: &str, value: impl Serialize) {
        self.seen.insert(name.into(), json!(value));
    }

    /// Writes `plot` as a file, if that was asked for.
    ///
    /// # Errors
    /// The folder can't be made, or the file can't be written.
    pub(crate) fn plot(&mut self, plot: &Plot) -> Result<(), Trouble> {
        let Some(folder) = self.out else { return Ok(()) };
        let path: PathBuf = folder.join(format!("{}.svg", self.lab.name));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, plot.svg()))
            .map_err(Trouble::while_doing(path.display().to_string()))?;
        self.say(format!("\nThe plot: {}", path.display()));
        Ok(())
    }

    /// The lab is over.
    pub(crate) fn close(mut self) -> ExitCode {
        if self.json {
            let object = Value::Object(std::mem::take(&mut self.seen));
            self.put(&format!("{object}\n"));
        }
        self.status
    }

    /// The lab can't be run here: `setting` is in the way.
    pub(crate) fn skip(mut self, setting: &str) -> ExitCode {
        self.record("skipped", setting);
        self.say(format!("This system does not allow it: {setting}"));
        self.close()
    }

    fn put(&mut self, text: &str) {
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

/// The first column to the left, figures to the right.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::from(" ");
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        line += &match column {
            0 => format!(" {cell:<width$}"),
            _ => format!("   {cell:>width$}"),
        };
    }
    line.trim_end().into()
}

/// Breaks `text` between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let space = if line.is_empty() { "" } else { " " };
            *line += &format!("{space}{word}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
    }
}
