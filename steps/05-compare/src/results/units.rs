//! Numbers for people, to three digits; and cells in columns.

use comfy_table::{CellAlignment, Table, presets};
use textwrap::{Options, WordSplitter, fill};

/// `value` to three significant digits: `0.123`, `1.23`, `12.3`, `123`,
/// `1234`. What is no number (0 requests a second have no mean) is a dash.
pub fn three_digits(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".into();
    }
    if !value.is_finite() {
        return "-".into();
    }
    let decimals = match value.abs() {
        v if v < 1e4 && v.fract() == 0.0 => 0, // a count
        v if v < 0.999_5 => 3,
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// The value that a share of `q` of all values does not exceed: 0.5 is the
/// median, 1 the maximum. NaN of no values.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Puts the cells below one another: the first `names` columns to the left,
/// numbers to the right.
pub fn align(lines: &[Vec<String>], names: usize) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).add_rows(lines);
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if number >= names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// `text` in lines of at most `width` characters, where its words allow. Lines
/// after the first begin with `indent`.
pub fn wrap(text: &str, width: usize, indent: &str) -> String {
    let options = Options::new(width).subsequent_indent(indent);
    fill(text, options.word_splitter(WordSplitter::NoHyphenation))
}
