//! The lines of an item, found by its name.
//!
//! A listing says what it shows: `Framer` (an item of the file),
//! `Framer::feed` (of an `impl` or a trait), `impl Drop for Log` (as the code
//! begins), or two of these, of which it shows all that is between. The code
//! is formatted: an item ends where its indentation comes again.

use std::ops::Range;

use super::definitions::item_name;

/// The lines of `items` in a file, from 0, or nothing where it has no such
/// item. Comments above the first are left out: the page says what it is.
pub(super) fn lines(text: &str, items: &str) -> Option<Range<usize>> {
    let code: Vec<&str> = text.lines().collect();
    let (first, last) = items.split_once(" to ").unwrap_or((items, items));
    let (first, last) = (find(&code, first)?, find(&code, last)?);
    (first <= last).then(|| start(&code, first)..end(&code, last))
}

/// The line on which an item is named.
fn find(code: &[&str], item: &str) -> Option<usize> {
    let named = |line: &str, name| item_name(line).as_deref() == Some(name);
    if item.contains(' ') {
        return code.iter().position(|line| {
            let after = line.strip_prefix(item);
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        });
    }
    let Some((holder, name)) = item.split_once("::") else {
        return code.iter().position(|l| indent(l) == 0 && named(l, item));
    };
    let mut inside = false;
    code.iter().position(|line| {
        if indent(line) == 0 && !line.is_empty() {
            inside = holds(line, holder);
        }
        inside && indent(line) == 4 && named(line.trim_start(), name)
    })
}

/// Whether the items of `holder` follow this line: an `impl`, a trait, …
fn holds(line: &str, holder: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let kinds = ["impl", "trait", "mod", "class"];
    words.any(|word| kinds.contains(&word)) && words.any(|word| word == holder)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The first line of the item's attributes.
fn start(code: &[&str], at: usize) -> usize {
    let above = code[..at].iter().rposition(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with("//") || line.ends_with('}')
    });
    let above = above.map_or(0, |line| line + 1);
    let attribute = |line: &&str| line.trim_start().starts_with("#[");
    code[above..at].iter().position(attribute).map_or(at, |line| above + line)
}

/// The line after the item's last.
fn end(code: &[&str], at: usize) -> usize {
    let same = indent(code[at]);
    if code[at].ends_with(':') {
        return end_of_python(code, at, same);
    }
    let is_last = |(n, line): (usize, &&str)| {
        let (depth, line) = (indent(line), line.trim());
        let ends = line.ends_with(';') || line.ends_with('}');
        match n {
            0 => ends,
            _ => {
                depth == same && ends && line.starts_with(['}', ')', ']'])
                    || code[at].ends_with('=') && line.ends_with(';')
            }
        }
    };
    let length = code[at..].iter().enumerate().position(is_last);
    length.map_or(code.len(), |length| at + length + 1)
}

/// Python has no brackets at an item's end.
fn end_of_python(code: &[&str], at: usize, same: usize) -> usize {
    let inside = |line: &&&str| line.is_empty() || indent(line) > same;
    let lines = code[at + 1..].iter().take_while(inside);
    let body: Vec<_> = lines.collect();
    let last = body.iter().rposition(|line| !line.is_empty());
    at + 1 + last.map_or(0, |last| last + 1)
}
