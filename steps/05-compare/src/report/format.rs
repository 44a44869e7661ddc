//! Numbers for people: three digits, and no more than they mean.

/// `value` to three significant digits: `0.123`, `1.23`, `12.3`, `123`,
/// `1234`. What is no number (0 requests a second have no mean) is a dash.
pub(crate) fn three_digits(value: f64) -> String {
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

#[cfg(test)]
mod tests {
    use super::three_digits;

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
        ];
        for (value, shown) in cases {
            assert_eq!(three_digits(value), shown);
        }
    }
}
