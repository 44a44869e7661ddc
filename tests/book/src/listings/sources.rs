//! The pages with whole files, one for each step and one for the rest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::read;
use crate::book;

/// The folder of these pages, below `src`.
pub(super) const FOLDER: &str = "source";

/// The last part of the table of contents.
const PART: &str = "# The whole files\n";

/// A file of the workspace that a page of sources shows.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// From the workspace's root: `steps/01-blocking/src/listener.rs`.
    pub(super) path: PathBuf,
    /// The page, without its ending: `01-blocking`.
    pub(super) page: String,
    /// Its heading: `src/listener.rs`.
    heading: String,
    pub(super) text: String,
}

impl Source {
    fn new(path: &Path) -> Self {
        let mut parts = path.iter().map(|part| part.to_string_lossy());
        let (page, heading) = match parts.next().as_deref() {
            Some("steps") => {
                let step = parts.next().unwrap_or_default().into_owned();
                (step, parts.collect::<Vec<_>>().join("/"))
            }
            _ => ("tests".to_owned(), path.display().to_string()),
        };
        Self { path: path.into(), page, heading, text: read(path) }
    }

    /// How a page names it: `01-blocking/src/listener.rs`.
    pub(super) fn label(&self) -> String {
        let path = self.path.display().to_string();
        path.strip_prefix("steps/").unwrap_or(&path).to_owned()
    }

    /// Where it is, from the book's root, with the ending of a page: `md` or
    /// `html`.
    pub(super) fn link(&self, ending: &str) -> String {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let id: String = self.heading.chars().filter(kept).collect();
        let id = id.to_lowercase();
        format!("{FOLDER}/{}.{ending}#{id}", self.page)
    }

    fn language(&self) -> &'static str {
        match self.path.extension().and_then(|e| e.to_str()) {
            Some("py") => "python",
            _ => "rust",
        }
    }
}

/// The files of each library, and whatever else a page shows.
pub(super) fn all(shown: &BTreeSet<PathBuf>) -> io::Result<Vec<Source>> {
    let root = book().join("..");
    let mut paths = shown.clone();
    for folder in ["steps", "tests"] {
        for package in fs::read_dir(root.join(folder))? {
            let library = package?.path().join("src");
            let path = library.strip_prefix(&root).unwrap_or(&library);
            let is_shown = shown.iter().any(|file| file.starts_with(path));
            if library.is_dir() && is_shown {
                add_below(&library, &root, &mut paths)?;
            }
        }
    }
    Ok(paths.iter().map(|path| Source::new(path)).collect())
}

fn add_below(
    folder: &Path,
    root: &Path,
    paths: &mut BTreeSet<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            add_below(&path, root, paths)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.insert(path.strip_prefix(root).unwrap_or(&path).into());
        }
    }
    Ok(())
}

/// The table of contents, whose last part lists these pages.
pub(super) fn summary(text: &str, sources: &[Source]) -> String {
    let (others, _) = text.split_once(PART).unwrap_or((text, ""));
    let names: BTreeSet<_> = sources.iter().map(|s| &s.page).collect();
    let list = names.into_iter().map(|name| match name.as_str() {
        "tests" => format!("- [The faulty servers]({FOLDER}/{name}.md)\n"),
        name => format!("- [{name}]({FOLDER}/{name}.md)\n"),
    });
    format!("{others}{PART}\n{}", list.collect::<String>())
}

/// The pages, as files.
pub(super) fn pages(sources: &[Source]) -> Vec<(PathBuf, String)> {
    let names: BTreeSet<_> = sources.iter().map(|s| &s.page).collect();
    names.into_iter().map(|name| page(name, sources)).collect()
}

fn page(name: &str, sources: &[Source]) -> (PathBuf, String) {
    let mut text = format!(
        "# {name}: its files\n\n<!-- Made by `just listings`. -->\n\n\
         <div class=\"sources\">\n"
    );
    for source in sources.iter().filter(|source| source.page == name) {
        let (heading, language) = (&source.heading, source.language());
        let path = source.path.display();
        text += &format!(
            "\n## {heading}\n\n```{language}\n{{{{#include \
             ../../../{path}}}}}\n```\n"
        );
    }
    text += "\n</div>\n";
    (book().join("src").join(FOLDER).join(name).with_extension("md"), text)
}
