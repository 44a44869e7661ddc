//! The shape of the book: contents, exercises, code blocks.

use crate::pages::Pages;

/// The book promises so many.
const EXERCISES: usize = 30;

pub(crate) fn summary_is_complete(pages: &Pages) -> Vec<String> {
    let summary = pages.find("SUMMARY.md").map_or("", |p| p.text.as_str());
    let mut problems: Vec<_> = pages
        .read_by_people()
        .filter(|page| !summary.contains(&format!("]({})", page.name)))
        .map(|page| format!("SUMMARY.md does not list {}", page.name))
        .collect();
    if summary.contains("]()") {
        problems.push("SUMMARY.md has a chapter without a page".into());
    }
    problems
}

/// `### Exercise 7: …`, then a folded hint and a folded solution.
pub(crate) fn exercises(pages: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in &pages.all {
        for exercise in page.text.split("\n### Exercise").skip(1) {
            count += 1;
            let title = exercise.lines().next().unwrap_or_default();
            let end = exercise.find("\n## ").unwrap_or(exercise.len());
            for part in ["Hint", "Solution"] {
                let fold = format!("<details>\n<summary>{part}</summary>\n");
                if !exercise[..end].contains(&fold) {
                    let at = format!("{}: exercise{title}", page.name);
                    problems.push(format!("{at}: no folded {part}"));
                }
            }
        }
    }
    if count < EXERCISES {
        problems.push(format!("{count} exercises of {EXERCISES}"));
    }
    problems
}

/// They are numbered through the whole book, in the order of its contents.
pub(crate) fn exercise_numbers(pages: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    let mut number = 0;
    for page in pages.in_order() {
        for exercise in page.text.split("\n### Exercise ").skip(1) {
            number += 1;
            if !exercise.starts_with(&format!("{number}: ")) {
                let title = exercise.lines().next().unwrap_or_default();
                let at = format!("{}: exercise {title}", page.name);
                problems.push(format!("{at}: its number should be {number}"));
            }
        }
    }
    problems
}

/// A line of a paragraph that begins with `+ ` or `1. ` begins a list.
pub(crate) fn lists(pages: &Pages) -> Vec<String> {
    let begins = |line: &str| {
        ["- ", "+ ", "* ", "1. "].iter().any(|mark| line.starts_with(mark))
    };
    let mut problems = Vec::new();
    for page in &pages.all {
        let prose = page.prose();
        for (before, (number, line)) in prose.iter().zip(prose.iter().skip(1)) {
            let text = before.1;
            let in_list = begins(text) || text.starts_with(' ');
            let in_text = before.0 + 1 == *number && !text.is_empty();
            if begins(line) && in_text && !in_list {
                problems.push(format!(
                    "{}:{number}: a list begins within a paragraph",
                    page.name
                ));
            }
        }
    }
    problems
}

pub(crate) fn languages(pages: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    for page in &pages.all {
        for block in page.blocks() {
            if block.language.is_empty() {
                let at = format!("{}:{}", page.name, block.line);
                problems.push(format!("{at}: a block without a language"));
            }
        }
    }
    problems
}
