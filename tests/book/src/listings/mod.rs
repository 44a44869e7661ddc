//! What the book says about its listings, made from the code: the file above
//! each listing, the pages with whole files, and the names that link there.
//!
//! `just listings` writes it; the book's test compares.

mod captions;
mod definitions;
mod items;
mod names;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::book;
use sources::Source;

/// A page of the book: its path below `src`, and its Markdown.
#[derive(Clone, Debug)]
pub struct Page {
    /// Such as `01-listener.md`.
    pub name: String,
    /// As it is in the file.
    pub text: String,
}

/// What the listings give.
#[derive(Clone, Debug, Default)]
pub struct Listings {
    /// Each file of the book that follows from the code, as it should be.
    pub files: Vec<(PathBuf, String)>,
    /// A listing that names no item, and a name of ours in one that no link
    /// and no text explains.
    pub problems: Vec<String>,
}

/// Reads the code and the pages.
///
/// # Errors
/// A file that cannot be read.
pub fn expected() -> io::Result<Listings> {
    let pages = pages_in_order()?;
    let shown: BTreeSet<PathBuf> = pages
        .iter()
        .flat_map(|page| captions::listings(&page.text))
        .map(|listing| workspace_path(&listing.file))
        .collect();
    let sources = sources::all(&shown)?;
    let mut listings =
        Listings { files: sources::pages(&sources), ..Default::default() };
    let path = book().join("src/SUMMARY.md");
    let summary = sources::summary(&fs::read_to_string(&path)?, &sources);
    listings.files.push((path, summary));
    for page in &pages {
        let problems = &mut listings.problems;
        let text = captions::captioned(&page.text, &sources, problems);
        listings.files.push((book().join("src").join(&page.name), text));
    }
    let (script, unexplained) = names::linked(&pages, &sources);
    listings.files.push((book().join("theme/names.js"), script));
    listings.problems.extend(unexplained);
    Ok(listings)
}

/// The pages that the table of contents lists, in its order; those that are
/// made from the code are left out.
fn pages_in_order() -> io::Result<Vec<Page>> {
    let folder = book().join("src");
    let summary = fs::read_to_string(folder.join("SUMMARY.md"))?;
    let links = summary.split("](").skip(1);
    let names = links.filter_map(|link| link.split(')').next());
    names
        .filter(|name| !name.starts_with(sources::FOLDER))
        .map(|name| {
            let text = fs::read_to_string(folder.join(name))?;
            Ok(Page { name: name.to_owned(), text })
        })
        .collect()
}

/// `../../steps/x.rs`, as it stands on a page, from the workspace's root.
fn workspace_path(include: &str) -> PathBuf {
    let path = include.trim_start_matches("../");
    let in_book = include.matches("../").count() == 1;
    if in_book { Path::new("book").join(path) } else { path.into() }
}

/// The text of a file of the workspace; none where there is no such file.
fn read(path: &Path) -> String {
    fs::read_to_string(book().join("..").join(path)).unwrap_or_default()
}

/// The source that a listing is cut from.
fn find<'a>(sources: &'a [Source], file: &str) -> Option<&'a Source> {
    let path = workspace_path(file);
    sources.iter().find(|source| source.path == path)
}
