//! The line above a listing: the items that it shows, and their file. The line
//! is the author's; the numbers of lines in the listing follow from it.

use super::sources::Source;
use super::{find, items, read, workspace_path};

/// A listing, as it stands on a page.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// The line of its fence, from 0.
    line: usize,
    pub(super) file: String,
    /// The names in its caption, see [`items::lines`]; `None`: the whole file.
    items: Option<String>,
}

impl Listing {
    /// Its code; nothing where there is no such item.
    pub(super) fn code(&self) -> String {
        let text = read(&workspace_path(&self.file));
        let Some(items) = &self.items else { return text };
        let range = items::lines(&text, items).unwrap_or_default();
        let lines = text.lines().skip(range.start).take(range.len());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What names it in a complaint.
    pub(super) fn name(&self) -> String {
        let items = self.items.as_deref().unwrap_or("all");
        format!("{items} of {}", self.file)
    }

    fn caption(&self, source: &Source) -> String {
        let items = self.items.as_ref().map_or_else(String::new, |items| {
            format!("`{}`, ", items.replace(" to ", "` to `"))
        });
        format!("[{items}{}]({})", source.label(), source.link("md"))
    }

    fn include(&self, source: &Source) -> Option<String> {
        let Self { file, items, .. } = self;
        let Some(items) = items else {
            return Some(format!("{{{{#include {file}}}}}"));
        };
        let lines = items::lines(&source.text, items)?;
        let (first, last) = (lines.start + 1, lines.end);
        Some(format!("{{{{#include {file}:{first}:{last}}}}}"))
    }
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
        let file = include.split(':').next().unwrap_or(include).to_owned();
        let above = lines[..line].iter().rfind(|line| !line.is_empty());
        let items = above.and_then(|line| items_named(line));
        Some(Listing { line, file, items })
    });
    found.collect()
}

/// The names in a caption: `` [`Framer` to `reply`, file](source/…) ``.
fn items_named(line: &str) -> Option<String> {
    let (names, _) = line.trim().strip_prefix("[`")?.rsplit_once("`, ")?;
    is_caption(line).then(|| names.replace('`', ""))
}

fn is_caption(line: &str) -> bool {
    line.trim_start().starts_with('[')
        && line.contains("](source/")
        && line.ends_with(')')
}

/// The page with a caption above each listing, and the lines of its items.
/// What names no item is added to `problems`.
pub(super) fn captioned(
    text: &str,
    sources: &[Source],
    problems: &mut Vec<String>,
) -> String {
    let mut lines: Vec<String> = text.lines().map(Into::into).collect();
    for listing in listings(text).iter().rev() {
        let Some(source) = find(sources, &listing.file) else { continue };
        let Some(include) = listing.include(source) else {
            problems.push(format!("there is no {}", listing.name()));
            continue;
        };
        let fence = &lines[listing.line];
        let indent = " ".repeat(fence.len() - fence.trim_start().len());
        lines[listing.line + 1] = indent.clone() + &include;
        let is_text = |line: &String| !line.is_empty() && !is_caption(line);
        let before = lines[..listing.line].iter().rposition(is_text);
        let caption = indent + &listing.caption(source);
        let above = [String::new(), caption, String::new()];
        lines.splice(before.map_or(0, |at| at + 1)..listing.line, above);
    }
    lines.join("\n") + "\n"
}
