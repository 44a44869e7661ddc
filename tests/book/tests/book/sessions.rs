//! The terminal sessions, played again.

use std::fs;
use std::path::Path;

use crate::pages::Pages;
use book::{Session, transcript};

pub(crate) fn plays_as_recorded(
    session: &Session,
    programs: &Path,
    pages: &Pages,
) -> Vec<String> {
    if session.recorded_only {
        return Vec::new();
    }
    let of_rings = session.name.starts_with("uring");
    if of_rings && !harness::steps::can_run("09-uring") {
        return Vec::new();
    }
    if let Some(tool) = session.missing_tool() {
        let reason = format!("{}: {tool} is not installed", session.name);
        if harness::in_ci() {
            return vec![reason];
        }
        println!("skipped {reason}");
        return Vec::new();
    }
    let played = match book::play(session, programs) {
        Ok(played) => played,
        Err(error) => return vec![with_pages(session, pages, &error)],
    };
    let mut problems = Vec::new();
    for (number, now) in played {
        let path = transcript(&session.name, number);
        let then = fs::read_to_string(&path).unwrap_or_default();
        if comparable(session, &then) != comparable(session, &now) {
            let what = format!(
                "terminal {number} of the session {} shows\n{now}\n\
                 and the book says\n{then}\n\
                 If the new one is right: `just record`.",
                session.name
            );
            problems.push(with_pages(session, pages, &what));
        }
    }
    problems
}

/// The pages that show a session come first: that is where a reader would see.
fn with_pages(
    session: &Session,
    pages: &Pages,
    problem: &impl ToString,
) -> String {
    let name = format!("transcripts/{}.", session.name);
    let shown_on = pages.all.iter().filter(|page| page.text.contains(&name));
    let names: Vec<_> = shown_on.map(|page| page.name.as_str()).collect();
    format!("{}: {}", names.join(", "), problem.to_string())
}

/// The transcript without what differs from one run to the next.
fn comparable(session: &Session, text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = numbers_masked(line, session);
        // A wider figure moves the columns after it.
        let space = if session.figures_vary { "" } else { " " };
        line.split_whitespace().collect::<Vec<_>>().join(space)
    });
    let mut lines: Vec<_> = lines.collect();
    if session.order_varies {
        lines.sort();
    }
    if session.figures_vary {
        // How many libraries a loader opens and closes, say.
        lines.dedup();
    }
    lines.join("\n")
}

/// Masks every number, or those of descriptors and processes alone. Where the
/// order of lines varies, so do the clients' ports, 54321 the first that is seen.
fn numbers_masked(line: &str, session: &Session) -> String {
    let all = session.figures_vary;
    let clients = session.order_varies.then_some(":543");
    let mut masked = String::new();
    let mut pointer = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        pointer = character == 'x' && masked.ends_with('#')
            || pointer && character.is_ascii_hexdigit();
        let in_number = masked.ends_with('#');
        let next = characters.peek();
        // 100 and 99.5, or 900 and 1,100, are the same figure at two times.
        let point = all
            && in_number
            && matches!(character, '.' | ',')
            && next.is_some_and(char::is_ascii_digit);
        let digit = character.is_ascii_digit() || pointer;
        if (digit || point) && in_number {
            continue;
        }
        let mut names = ["fd=", "pid="].into_iter().chain(clients);
        let named = names.any(|name| masked.ends_with(name));
        masked.push(if digit && (all || named) { '#' } else { character });
    }
    masked
}
