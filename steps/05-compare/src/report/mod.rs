//! What a comparison prints and writes.

mod format;
mod table;

pub(crate) use table::table;
