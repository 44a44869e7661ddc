//! Where the names of the workspace's code are defined.

use super::sources::Source;

/// A name, and where it is defined.
#[derive(Clone, Debug)]
pub(super) struct Definition<'a> {
    pub(super) name: String,
    pub(super) source: &'a Source,
    /// Its first line, as in the code: `pub fn feed(`.
    pub(super) line: String,
    /// The first sentence of its comment.
    pub(super) comment: String,
}

impl Definition<'_> {
    /// What to look for in the file: `fn feed`.
    pub(super) fn phrase(&self) -> String {
        let from =
            |kind: &str| self.line.find(&format!("{kind} {}", self.name));
        let start = KINDS.iter().find_map(|kind| from(kind));
        match start {
            Some(start) => {
                let end = self.line[start..].find(&self.name);
                let end = start + end.unwrap_or(0) + self.name.len();
                self.line[start..end].to_owned()
            }
            None => self.name.clone(),
        }
    }
}

const KINDS: [&str; 9] = [
    "fn", "struct", "enum", "trait", "const", "static", "type", "union",
    "class",
];

/// The definitions in all sources, in their order.
pub(super) fn all(sources: &[Source]) -> Vec<Definition<'_>> {
    sources.iter().flat_map(of).collect()
}

fn of(source: &Source) -> Vec<Definition<'_>> {
    let mut found = Vec::new();
    let mut comment = String::new();
    let mut in_enum = false;
    for line in source.text.lines() {
        let code = line.trim();
        if let Some(text) = code.strip_prefix("///") {
            if comment.is_empty() {
                text.trim().clone_into(&mut comment);
            }
            continue;
        }
        let name = item_name(code)
            .or_else(|| in_enum.then(|| variant_name(line)).flatten());
        if let Some(name) = name {
            let (line, comment) = (code.to_owned(), comment.clone());
            found.push(Definition { name, source, line, comment });
        }
        in_enum = match line {
            "}" => false,
            line => in_enum || code.contains("enum ") && line.ends_with('{'),
        };
        if !code.starts_with("#[") {
            comment.clear();
        }
    }
    found
}

/// The name of the item that begins in this line.
pub(super) fn item_name(code: &str) -> Option<String> {
    if code.starts_with("//") {
        return None;
    }
    let mut words = code.split_whitespace();
    while let Some(word) = words.next() {
        if KINDS.contains(&word) {
            let word = words.find(|word| !KINDS.contains(word))?;
            let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
            let name: String = word.chars().take_while(is_name).collect();
            return (!name.is_empty()).then_some(name);
        }
        let before =
            ["pub", "pub(crate)", "pub(super)", "unsafe", "async", "extern"];
        if !before.contains(&word) && !word.starts_with('"') {
            return None;
        }
    }
    None
}

/// The variant of an enum that this line names.
fn variant_name(line: &str) -> Option<String> {
    let code = line.strip_prefix("    ")?;
    let is_name = |c: &char| c.is_alphanumeric();
    let name: String = code.chars().take_while(is_name).collect();
    let after = code[name.len()..].chars().next();
    let is_variant = name.starts_with(|c: char| c.is_ascii_uppercase())
        && matches!(after, Some(',' | '(' | ' '));
    is_variant.then_some(name)
}
