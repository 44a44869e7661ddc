//! Each listing says its file, and each name in it leads to its definition.

use std::fs;

use super::pages::Pages;

pub(crate) fn are_as_the_code(_pages: &Pages) -> Vec<String> {
    let listings = match book::listings::expected() {
        Ok(listings) => listings,
        Err(error) => return vec![error.to_string()],
    };
    let old = listings.files.iter().filter(|(path, text)| {
        !fs::read_to_string(path).is_ok_and(|now| now == *text)
    });
    let path = |path: &std::path::Path| path.display().to_string();
    old.map(|(old, _)| {
        format!("{}: not as the code is now: `just listings`", path(old))
    })
    .collect()
}

pub(crate) fn names_are_explained(_pages: &Pages) -> Vec<String> {
    book::listings::expected().map_or_else(
        |error| vec![error.to_string()],
        |listings| listings.problems,
    )
}
