//! Includes: mdBook turns one that is missing into nothing, without a word.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::pages::{Page, Pages, files_below};
use book::{Session, picture, transcript};

/// `{{#include file:part}}`, as it stands on a page. A part is the numbers of
/// two lines, or the name of an anchor: two comments, in a script.
struct Include {
    line: usize,
    file: PathBuf,
    part: Option<String>,
}

fn includes(pages: &Pages, page: &Page) -> Vec<Include> {
    let mut found = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for part in line.split("{{#include ").skip(1) {
            let target = part.split("}}").next().unwrap_or_default().trim();
            let (file, part) = match target.split_once(':') {
                Some((file, part)) => (file, Some(part.to_owned())),
                None => (target, None),
            };
            let file = pages.source.join(page.folder()).join(file);
            found.push(Include { line: index + 1, file, part });
        }
    }
    found
}

/// The lines of `text` that an include shows.
fn shown(text: &str, part: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = |kind: &str| {
        let comment = format!("# {kind}: {part}");
        let found = lines.iter().position(|line| line.trim() == comment);
        found.ok_or_else(|| format!("there is no `{comment}`"))
    };
    let numbers = part.split_once(':').and_then(|(first, last)| {
        Some((first.parse::<usize>().ok()?, last.parse().ok()?))
    });
    let (first, last) = match numbers {
        Some((first, last)) => (first.saturating_sub(1), last),
        None => (at("ANCHOR")? + 1, at("ANCHOR_END")?),
    };
    let lines = lines.get(first..last).ok_or("it has no such lines")?;
    Ok(lines.join("\n"))
}

/// Whether every bracket that closes in a listing was opened in it, and what
/// is left open is at most an `impl`, of which it shows the beginning.
fn balanced(code: &str) -> bool {
    let begins_impl = code.lines().any(|line| line.starts_with("impl"));
    let mut open = Vec::new();
    for bracket in brackets(code) {
        let opening = match bracket {
            '}' => '{',
            ')' => '(',
            ']' => '[',
            opening => {
                open.push(opening);
                continue;
            }
        };
        if open.pop() != Some(opening) {
            return false;
        }
    }
    open.is_empty() || (open == ['{'] && begins_impl)
}

/// The brackets of some code, those in comments and strings left out.
fn brackets(code: &str) -> Vec<char> {
    let lines = code.lines().map(|line| line.split("//").next());
    let code: Vec<_> = lines.flatten().collect();
    let code = code.join("\n");
    let outside = code.split('"').step_by(2).flat_map(str::chars);
    outside.filter(|c| "{}()[]".contains(*c)).collect()
}

fn examine(include: &Include) -> Result<(), String> {
    let text = fs::read_to_string(&include.file)
        .map_err(|error| format!("{}: {error}", include.file.display()))?;
    let text = match &include.part {
        Some(part) => shown(&text, part)
            .map_err(|e| format!("{}: {e}", include.file.display()))?,
        None => text,
    };
    let at = || format!("{}:{:?}", include.file.display(), include.part);
    if text.trim().is_empty() {
        return Err(format!("{} is empty", at()));
    }
    let is_rust = include.file.extension().is_some_and(|e| e == "rs");
    if is_rust && include.part.is_some() && !balanced(&text) {
        return Err(format!("{} cuts through a bracket", at()));
    }
    Ok(())
}

pub(crate) fn resolve(pages: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    for page in &pages.all {
        for include in includes(pages, page) {
            if let Err(problem) = examine(&include) {
                let Include { line, .. } = include;
                problems.push(format!("{}:{line}: {problem}", page.name));
            }
        }
    }
    problems
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.into())
}

/// Whether each line of a block is an include, of a path that has `part`.
fn only_includes(block: &str, part: &str) -> bool {
    let mut lines = block.lines().filter(|line| !line.trim().is_empty());
    !block.trim().is_empty()
        && lines
            .all(|l| l.trim().starts_with("{{#include ") && l.contains(part))
}

fn blocks_are(
    pages: &Pages,
    language: &str,
    part: &str,
    complaint: &str,
) -> Vec<String> {
    let mut problems = Vec::new();
    for page in &pages.all {
        for block in page.blocks() {
            let ours = block.language.split(',').next() == Some(language);
            if ours && !only_includes(&block.text, part) {
                let at = format!("{}:{}", page.name, block.line);
                problems.push(format!("{at}: {complaint}"));
            }
        }
    }
    problems
}

pub(crate) fn listings_are_code(pages: &Pages) -> Vec<String> {
    let complaint = "a rust block is an {{#include}} of compiled code";
    let mut problems = blocks_are(pages, "rust", ".rs", complaint);
    let complaint = "a toml block is an {{#include}} of a real file";
    problems.extend(blocks_are(pages, "toml", ".toml", complaint));
    let complaint = "a python block is an {{#include}} of a real file";
    problems.extend(blocks_are(pages, "python", ".py", complaint));
    problems
}

pub(crate) fn consoles_are_recorded(pages: &Pages) -> Vec<String> {
    let complaint = "a console block is an {{#include}} of a transcript";
    blocks_are(pages, "console", "transcripts/", complaint)
}

/// Each session has its transcripts, each transcript its session and its page.
pub(crate) fn recordings_are_shown(pages: &Pages) -> Vec<String> {
    let sessions = match Session::all() {
        Ok(sessions) => sessions,
        Err(error) => return vec![error.to_string()],
    };
    let recorded: BTreeSet<_> = sessions
        .iter()
        .flat_map(|s| s.terminals().into_iter().map(|n| (s.name.clone(), n)))
        .map(|(name, number)| canonical(&transcript(&name, number)))
        .collect();
    let shown: BTreeSet<_> = pages
        .all
        .iter()
        .flat_map(|page| includes(pages, page))
        .map(|include| canonical(&include.file))
        .collect();
    let folder = canonical(&pages.source.join("transcripts"));
    let kept = files_below(&folder, "txt").unwrap_or_default();
    let mut problems: Vec<_> = recorded
        .iter()
        .filter(|path| !kept.contains(path))
        .map(|p| format!("{}: not recorded yet: `just record`", p.display()))
        .collect();
    for path in &kept {
        let at = path.display();
        if !recorded.contains(path) {
            problems.push(format!("{at}: no session makes it"));
        } else if !shown.contains(path) {
            problems.push(format!("{at}: no page shows it"));
        }
    }
    for session in sessions.iter().filter(|s| s.drawing.is_some()) {
        if !shown.contains(&canonical(&picture(&session.name))) {
            problems
                .push(format!("{}: no page shows its picture", session.name));
        }
    }
    problems
}
