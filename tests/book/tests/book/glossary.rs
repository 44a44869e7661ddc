//! The glossary's terms: each is explained, or linked, where it first stands.

use super::pages::{Page, Pages};

/// Terms that are everyday words, too: their first use need not be the term.
const EVERYDAY: [&str; 14] = [
    "blocking",
    "connection",
    "detach",
    "drain",
    "join",
    "lab",
    "page",
    "pool",
    "port",
    "protocol",
    "socket",
    "stream",
    "turn",
    "window",
];

pub(crate) fn in_order(pages: &Pages) -> Vec<String> {
    let Some(glossary) = pages.find("glossary.md") else {
        return vec!["there is no glossary.md".into()];
    };
    let read_before: Vec<(&Page, String)> = pages
        .in_order()
        .take_while(|page| page.name != glossary.name)
        .filter(|page| page.name != "article.md")
        .map(|page| (page, plain(page)))
        .collect();
    let entries = glossary.text.lines().filter_map(|line| {
        let (term, _) = line.strip_prefix("**")?.split_once("**:")?;
        Some(term.split(" (").next().unwrap_or(term).to_lowercase())
    });
    let technical = entries.filter(|t| !EVERYDAY.contains(&t.as_str()));
    technical.filter_map(|term| problem(&term, &read_before)).collect()
}

fn problem(term: &str, pages: &[(&Page, String)]) -> Option<String> {
    let (page, text, at) = pages
        .iter()
        .find_map(|(page, text)| Some((page, text, first(term, text)?)))?;
    // Where it stands in bold, or in a link, it is explained.
    let explained = text[..at].matches("**").count() % 2 == 1
        || text[..at].matches('\u{1}').count() % 2 == 1;
    (!explained).then(|| {
        let before = text[..at].chars().rev().take(40);
        let before: String =
            before.collect::<Vec<_>>().into_iter().rev().collect();
        format!(
            "{}: \"{}{term}\": the first use of a term of the glossary is \
             neither explained (in bold) nor linked",
            page.name,
            before.replace('\n', " ")
        )
    })
}

/// Where `term` first stands as a word of its own.
fn first(term: &str, text: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric();
    text.match_indices(term).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + term.len()..].trim_start_matches('s');
        !before.is_some_and(is_letter) && !after.starts_with(is_letter)
    })
}

/// The prose of a page in small letters: no code, no headings, no captions;
/// the text of a link is between two marks.
fn plain(page: &Page) -> String {
    let mut text = String::new();
    for (_, line) in page.prose() {
        let skipped =
            line.starts_with(['#', '<', '{']) || line.contains("](source/");
        if !skipped {
            text += line.trim();
        }
        text.push(if line.is_empty() { '\n' } else { ' ' });
    }
    let code: String = text
        .split('`')
        .enumerate()
        .map(|(index, part)| if index % 2 == 0 { part } else { "" })
        .collect();
    let mut plain = String::new();
    let mut rest = code.as_str();
    while let Some((before, link)) = rest.split_once('[') {
        let Some((label, after)) = link.split_once("](") else { break };
        plain += &format!("{before}\u{1}{label}\u{1}");
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    (plain + rest).to_lowercase()
}
