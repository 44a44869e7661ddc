//! Links within the book: pages, headings, pictures.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::pages::{Page, Pages};

pub(crate) fn resolve(pages: &Pages) -> Vec<String> {
    let mut problems = Vec::new();
    for page in &pages.all {
        for (line, link) in links(page) {
            if let Err(problem) = follow(pages, page, &link) {
                let at = format!("{}:{line}", page.name);
                problems.push(format!("{at}: link to {link}: {problem}"));
            }
        }
    }
    problems
}

/// `[text](target)`, `![text](target)`, `src="target"` and `href="target"`.
fn links(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in page.prose() {
        let text = without_code(line);
        for (start, end) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for part in text.split(start).skip(1) {
                let target = part.split(end).next().unwrap_or_default();
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn follow(pages: &Pages, page: &Page, link: &str) -> Result<(), String> {
    if link.starts_with("https://") {
        return Ok(());
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page,
        path => {
            let path = normal(&page.folder().join(path));
            let name = path.to_string_lossy().replace(".html", ".md");
            match pages.find(&name) {
                Some(target) => target,
                None if name.ends_with(".md") => return Err("no page".into()),
                None if pages.source.join(&name).is_file() => return Ok(()),
                None => return Err("no file".into()),
            }
        }
    };
    if fragment.is_empty() || headings(target).contains_key(fragment) {
        return Ok(());
    }
    Err(format!("{} has no such heading", target.name))
}

fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            result.pop();
        } else {
            result.push(component);
        }
    }
    result
}

/// The ids that mdBook gives to a page's headings.
fn headings(page: &Page) -> HashMap<String, usize> {
    let mut ids = HashMap::new();
    for (_, line) in page.prose() {
        let text = line.trim_start_matches('#');
        if text.len() == line.len() || !text.starts_with(' ') {
            continue;
        }
        let id = id_of(text.trim());
        let count = ids.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            let again = format!("{id}-{}", *count - 1);
            ids.insert(again, 1);
        }
    }
    ids
}

fn id_of(heading: &str) -> String {
    if let Some((_, id)) = heading.split_once("{#") {
        return id.trim_end_matches('}').to_owned();
    }
    heading
        .chars()
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => {
                Some(c.to_ascii_lowercase())
            }
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}
