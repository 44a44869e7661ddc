//! The names in a listing that are ours: each links to its definition.

use std::collections::{BTreeMap, BTreeSet};

use super::captions::{self, Listing};
use super::definitions::{self, Definition};
use super::sources::Source;
use super::{Page, find};

/// Names of the standard library that our code defines, too: in a listing
/// they nearly always mean the standard library's.
const STANDARD: [&str; 31] = [
    "Ok", "Err", "Some", "None", "Self", "Result", "Error", "new", "from",
    "default", "fmt", "drop", "main", "len", "is_empty", "push", "pop",
    "clear", "insert", "remove", "get", "take", "next", "iter", "lock", "wait",
    "join", "min", "max", "Read", "Write",
];

/// A name as it is used in some code.
struct Use<'a> {
    name: &'a str,
    /// What stands before its `::`, if anything does.
    path: Option<&'a str>,
    is_method: bool,
    is_call: bool,
}

/// The script with all links, and the names that nothing explains.
pub(super) fn linked(
    pages: &[Page],
    sources: &[Source],
) -> (String, Vec<String>) {
    let definitions = definitions::all(sources);
    let mut links: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut unexplained = Vec::new();
    let mut known = BTreeSet::new();
    for page in pages {
        known.extend(words_in_text(&page.text));
        for listing in captions::listings(&page.text) {
            let Some(source) = find(sources, &listing.file) else { continue };
            let code = without_comments(&listing.code());
            known.extend(defined_in(&code, &definitions));
            let file = links.entry(source.link("html")).or_default();
            for name in uses(&code) {
                match resolve(&name, source, &definitions) {
                    Some(at) => {
                        file.insert(name.name.to_owned(), at);
                    }
                    None if is_ours(&name, source, &definitions)
                        && !known.contains(name.name) =>
                    {
                        unexplained.push(complaint(page, &listing, name.name));
                    }
                    None => {}
                }
            }
        }
    }
    (script(&links, &definitions), unexplained)
}

fn complaint(page: &Page, listing: &Listing, name: &str) -> String {
    format!(
        "{}: the listing {} uses `{name}`: no link, and no text or listing \
         before it explains it",
        page.name,
        listing.name()
    )
}

/// The names between backquotes in a page's text.
fn words_in_text(text: &str) -> BTreeSet<String> {
    let mut prose = String::new();
    for (index, part) in text.split("```").enumerate() {
        prose += if index % 2 == 0 { part } else { "" };
    }
    let spans = prose.split('`').skip(1).step_by(2);
    let is_other = |c: char| !c.is_alphanumeric() && c != '_';
    spans.flat_map(|span| span.split(is_other)).map(Into::into).collect()
}

fn defined_in(code: &str, all: &[Definition<'_>]) -> BTreeSet<String> {
    let is_here = |d: &&Definition<'_>| code.contains(&d.line);
    all.iter().filter(is_here).map(|d| d.name.clone()).collect()
}

/// Rust without comments and the insides of strings.
fn without_comments(code: &str) -> String {
    let lines = code.lines().filter_map(|line| line.split("//").next());
    let code = lines.collect::<Vec<_>>().join("\n");
    code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

fn uses(code: &str) -> Vec<Use<'_>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in code.char_indices().chain([(code.len(), ' ')]) {
        match (start, is_name(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                start = None;
                let (before, after) = (&code[..from], &code[at..]);
                let path = before.strip_suffix("::").map(|before| {
                    before.rsplit(|c| !is_name(c)).next().unwrap_or_default()
                });
                found.push(Use {
                    name: &code[from..at],
                    path,
                    is_method: before.ends_with('.'),
                    is_call: after.starts_with('('),
                });
            }
            _ => {}
        }
    }
    found
}

/// Whether a name could be one of ours: a type, a constant, or a call.
fn is_candidate(name: &Use<'_>, source: &Source) -> bool {
    let upper = name.name.starts_with(|c: char| c.is_ascii_uppercase());
    let foreign = name.path.is_some_and(|path| {
        ["io", "libc", "fmt", "thread", "mem", "ptr", "fs", "socket"]
            .contains(&path)
    });
    let imports = source.text.lines().filter(|l| l.starts_with("use std::"));
    let mut imported = imports.flat_map(|line| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
    });
    (upper || name.is_call)
        && !foreign
        && !STANDARD.contains(&name.name)
        && !imported.any(|import| import == name.name)
}

/// The definition that is meant, where that is certain: in this file, in this
/// package, or the only one in the packages that it builds on.
fn resolve(
    name: &Use<'_>,
    source: &Source,
    all: &[Definition<'_>],
) -> Option<usize> {
    if !is_candidate(name, source) {
        return None;
    }
    let named = || all.iter().enumerate().filter(|(_, d)| d.name == name.name);
    let in_file = named().find(|(_, d)| d.source.path == source.path);
    if let Some((at, _)) = in_file {
        return Some(at);
    }
    if source.path.iter().any(|part| part == "stages") {
        return None; // a program of one file
    }
    let is_library =
        |d: &Definition<'_>| d.source.path.iter().any(|p| p == "src");
    let ours: Vec<_> = named()
        .filter(|(_, d)| d.source.page == source.page && is_library(d))
        .collect();
    let earlier: Vec<_> = named()
        .filter(|(_, d)| d.source.page < source.page && is_library(d))
        .filter(|(_, d)| d.line.starts_with("pub ") || !d.line.contains("fn "))
        .collect();
    match (ours.as_slice(), earlier.as_slice()) {
        ([(at, _), ..], _) => Some(*at),
        ([], [.., (at, _)]) if !name.is_method || earlier.len() == 1 => {
            Some(*at)
        }
        _ => None,
    }
}

fn is_ours(name: &Use<'_>, source: &Source, all: &[Definition<'_>]) -> bool {
    !source.path.iter().any(|part| part == "stages")
        && is_candidate(name, source)
        && all
            .iter()
            .any(|d| d.name == name.name && d.source.page == source.page)
}

/// A script that the pages load: definitions, and for each file the names
/// that its listings use.
fn script(
    links: &BTreeMap<String, BTreeMap<String, usize>>,
    definitions: &[Definition<'_>],
) -> String {
    let used: BTreeSet<usize> =
        links.values().flat_map(|names| names.values().copied()).collect();
    let numbers: BTreeMap<usize, usize> =
        used.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let mut text = "// Made by `just listings`: where the names in the \
                    listings are defined.\nglobalThis.definitions = [\n"
        .to_owned();
    for &at in &used {
        let d = &definitions[at];
        let link = d.source.link("html");
        text += &format!("{:?},\n", [&link, &d.phrase(), &d.comment]);
    }
    text += "];\nglobalThis.listingNames = {\n";
    for (file, names) in links.iter().filter(|(_, names)| !names.is_empty()) {
        let names: BTreeMap<_, _> =
            names.iter().map(|(name, at)| (name, numbers[at])).collect();
        text += &format!("{file:?}: {names:?},\n");
    }
    text + "};\n"
}
