//! The line above a listing: the file that it is cut from.

use super::sources::Source;
use super::{cut, find, read, workspace_path};

/// A listing, as it stands on a page: `{{#include file:anchor}}`.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// The line of its fence, from 0.
    line: usize,
    pub(super) file: String,
    pub(super) anchor: Option<String>,
}

impl Listing {
    /// Its code.
    pub(super) fn code(&self) -> String {
        cut(&read(&workspace_path(&self.file)), self.anchor.as_deref())
    }

    /// The `impl`, the function or the module that it is cut out of.
    fn inside(&self, whole: &str) -> Option<String> {
        let code = self.code();
        let first = code.lines().find(|line| !line.trim().is_empty())?;
        if !first.starts_with(' ') {
            return None;
        }
        let anchor = format!("ANCHOR: {}", self.anchor.as_ref()?);
        let before = whole.lines().take_while(|l| !l.trim().ends_with(&anchor));
        let item = before.filter(|line| is_item(line)).last()?;
        Some(item.trim_end_matches(" {").to_owned())
    }

    fn caption(&self, sources: &[Source]) -> Option<String> {
        let source = find(sources, &self.file)?;
        let label = source.label();
        let label = match self.inside(&source.text) {
            Some(item) => format!("`{item}`, {label}"),
            None => label,
        };
        Some(format!("[{label}]({})", source.link("md")))
    }
}

/// Whether an item that can hold others begins here.
fn is_item(line: &str) -> bool {
    if line.starts_with(' ') {
        return false;
    }
    let line = line.strip_prefix("pub").unwrap_or(line);
    let line = line.strip_prefix("(crate)").unwrap_or(line).trim_start();
    ["impl", "trait ", "fn ", "mod ", "enum ", "struct ", "class "]
        .iter()
        .any(|kind| line.starts_with(kind))
}

/// The listings of a page, in order.
pub(super) fn listings(text: &str) -> Vec<Listing> {
    let lines: Vec<_> = text.lines().collect();
    let fences = lines.windows(2).enumerate().filter(|(_, pair)| {
        let fence = pair[0].trim_start();
        fence.starts_with("```rust") || fence.starts_with("```python")
    });
    let found = fences.filter_map(|(line, pair)| {
        let include = pair[1].trim().strip_prefix("{{#include ")?;
        let include = include.split("}}").next()?.trim();
        let (file, anchor) = match include.split_once(':') {
            Some((file, anchor)) => (file, Some(anchor.to_owned())),
            None => (include, None),
        };
        Some(Listing { line, file: file.to_owned(), anchor })
    });
    found.collect()
}

fn is_caption(line: &str) -> bool {
    line.trim_start().starts_with('[')
        && line.contains("](source/")
        && line.ends_with(')')
}

/// The page with a caption above each listing.
pub(super) fn captioned(text: &str, sources: &[Source]) -> String {
    let listings = listings(text);
    let mut lines: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let listing = listings.iter().find(|listing| listing.line == number);
        if let Some(caption) = listing.and_then(|l| l.caption(sources)) {
            while lines.last().is_some_and(|l| l.is_empty() || is_caption(l)) {
                lines.pop();
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            let caption = format!("{indent}{caption}");
            lines.extend([String::new(), caption, String::new()]);
        }
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}
