//! What a comparison prints and writes, in each format.

mod axis;
mod csv;
mod files;
mod html;
pub mod plot;
mod plots;
mod sentences;
mod table;
mod text;

pub(crate) use files::{check_folder, read, write};
pub(crate) use table::COLUMNS;
pub(crate) use text::{diff, json, markdown, ratios, text};
#[cfg(test)]
pub(crate) use {csv::stats, html::page, sentences::unreliable};
