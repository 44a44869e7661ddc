//! Numbers for people: three digits, and no more than they mean; and cells in
//! columns.

/// `value` to three significant digits: `0.123`, `1.23`, `12.3`, `123`,
/// `1234`. What is no number (0 requests a second have no mean) is a dash.
#[must_use]
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
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Puts the cells below one another: the first `names` columns to the left,
/// numbers to the right.
#[must_use]
pub fn align(lines: &[Vec<String>], names: usize) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let cell = |(column, (cell, &width)): (usize, (&String, &usize))| {
        if column < names {
            format!("{cell:<width$}")
        } else {
            format!("{cell:>width$}")
        }
    };
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).enumerate().map(cell);
        let joined = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", joined.trim_end())
    });
    text.collect()
}

/// `text` in lines of at most `width` characters, where its words allow. Lines
/// after the first begin with `indent`.
#[must_use]
pub fn wrap(text: &str, width: usize, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or("", String::as_str);
        let length = line.chars().count() + 1 + word.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line += word,
            Some(line) if length <= width => *line += &format!(" {word}"),
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown_and_larger_numbers_whole() {
        let cases = [
            (0.123_4, "0.123"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.6, "12346"),
            (9.999, "10.0"),
            (0.0, "0"),
            (3.0, "3"),
            (f64::NAN, "-"),
            (f64::INFINITY, "∞"),
        ];
        for (value, shown) in cases {
            assert_eq!(three_digits(value), shown);
        }
    }

    #[test]
    fn names_stand_to_the_left_and_numbers_to_the_right() {
        let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let lines = [cells("server", "RPS"), cells("c", "12345")];
        assert_eq!(align(&lines, 1), "server    RPS\nc       12345\n");
    }

    #[test]
    fn a_line_is_broken_between_words() {
        assert_eq!(wrap("one two three", 9, "  "), "one two\n  three");
        assert_eq!(wrap("", 9, "  "), "");
    }
}
