//! Numbers for people: three digits, and no more than they mean.

use crate::statistics::Ratio;

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

/// A ratio and its interval: `0.58` and `[0.55, 0.61]`.
pub(crate) fn with_interval(ratio: &Ratio) -> [String; 2] {
    let [value, low, high] =
        [ratio.value, ratio.low, ratio.high].map(two_decimals);
    [value, format!("[{low}, {high}]")]
}

/// A ratio: two decimals, and three digits where it is large or small.
fn two_decimals(ratio: f64) -> String {
    match ratio {
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => three_digits(r),
    }
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
