//! The wrong servers: each is broken on the page that its list names, and
//! caught by the case that the page names.

use faulty::{ALL, FaultyServer};

use crate::pages::{Page, Pages};

/// How a page starts one.
const TASK: &str = "just wrong ";
const BINARY: &str = "target/release/wrong ";

pub(crate) fn are_shown(pages: &Pages) -> Vec<String> {
    let missing =
        ALL.iter().filter_map(|FaultyServer { name, chapter, .. }| {
            let page = format!("{chapter}.md");
            let shown = |page: &Page| page.text.contains(name);
            let found = pages.find(&page).is_some_and(shown);
            (!found).then(|| format!("{page} does not show the server {name}"))
        });
    let wrong_on = |page| [unknown(page), uncaught(page)].concat();
    missing.chain(pages.all.iter().flat_map(wrong_on)).collect()
}

/// Rows of a table, from a server in the first cell to a case in the last,
/// where that case does not catch that server.
fn uncaught(page: &Page) -> Vec<String> {
    let rows = page.prose().into_iter().filter_map(|(number, line)| {
        let row = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let (name, cells) = row.split_once("` | ")?;
        let case = cells.rsplit(" | ").next()?;
        let wrong = ALL.iter().find(|wrong| wrong.name == name)?;
        let at = format!("{}:{number}", page.name);
        (!wrong.is_caught_by(case))
            .then(|| format!("{at}: {name} passes the case \"{case}\""))
    });
    rows.collect()
}

/// What a page starts, and is no server of ours.
fn unknown(page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        let after = line.split(TASK).skip(1).chain(line.split(BINARY).skip(1));
        for rest in after {
            let is_other = |c: char| !c.is_ascii_lowercase() && c != '-';
            let name = rest.split(is_other).next().unwrap_or_default();
            if name.is_empty() || ALL.iter().any(|wrong| wrong.name == name) {
                continue;
            }
            let at = format!("{}:{}", page.name, index + 1);
            problems.push(format!("{at}: there is no wrong server {name}"));
        }
    }
    problems
}
