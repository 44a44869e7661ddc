//! The pages of the book as text, and the blocks in them.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// All Markdown files of the book.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    pub(crate) source: PathBuf,
    pub(crate) all: Vec<Page>,
}

/// One Markdown file.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Its path below `src`, such as `01-blocking/signals.md`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block of code, or a transcript.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) text: String,
    /// The number of its first line, from 1.
    pub(crate) line: usize,
}

impl Pages {
    pub(crate) fn read(source: &Path) -> io::Result<Self> {
        let mut all = Vec::new();
        for path in files_below(source, "md")? {
            let name = path.strip_prefix(source).unwrap_or(&path);
            let name = name.to_string_lossy().into_owned();
            all.push(Page { name, text: fs::read_to_string(&path)? });
        }
        Ok(Self { source: source.into(), all })
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Page> {
        self.all.iter().find(|page| page.name == name)
    }

    /// Those that the table of contents lists, in its order.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Page> {
        let summary = self.find("SUMMARY.md").map_or("", |p| p.text.as_str());
        let links = summary.split("](").skip(1);
        let names = links.filter_map(|link| link.split(')').next());
        names.filter_map(|name| self.find(name))
    }

    /// Those that a reader reads: all but the table of contents.
    pub(crate) fn read_by_people(&self) -> impl Iterator<Item = &Page> {
        self.all.iter().filter(|page| page.name != "SUMMARY.md")
    }
}

impl Page {
    /// The folder that its links start from, below `src`.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    let (language, text) = (language.trim(), String::new());
                    open = Some(Block { language, text, line: index + 1 });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        blocks.extend(open);
        blocks
    }

    /// The text outside fenced blocks, with the number of each line.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut fenced = false;
        let mut lines = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                lines.push((index + 1, line));
            }
        }
        lines
    }

    /// What stands between backquotes in the text.
    pub(crate) fn code_spans(&self) -> Vec<(usize, &str)> {
        let mut spans = Vec::new();
        for (number, line) in self.prose() {
            let parts = line.split('`').skip(1).step_by(2);
            spans.extend(parts.map(|span| (number, span)));
        }
        spans
    }
}

/// The files with this extension in `folder` and in the folders below it.
pub(crate) fn files_below(
    folder: &Path,
    extension: &str,
) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_below(&path, extension)?);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
