//! Medians and percentiles, and how to write a number.

pub(crate) use compare::results::units::quantile;

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Seconds in the unit that suits them: `1.03 s`, `44.1 ms`, `23 µs`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s.is_nan() => "none".into(),
        s if s >= 0.9995 => format!("{s:.2} s"),
        s if s >= 0.9995e-3 => format!("{} ms", three_digits(s * 1e3)),
        s if s >= 0.9995e-6 => format!("{} µs", three_digits(s * 1e6)),
        s => format!("{} ns", three_digits(s * 1e9)),
    }
}

/// Bytes in the unit that suits them: `5 B`, `64 KiB`, `2.5 MiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        b if b >= 1_048_576.0 => format!("{} MiB", short(b / 1_048_576.0)),
        b if b >= 1_024.0 => format!("{} KiB", short(b / 1_024.0)),
        b => format!("{b:.0} B"),
    }
}

/// A count with its thousands set apart: `10,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// No more decimals than it takes, and three at most: `0.25`, `4`.
pub(crate) fn decimal(number: f64) -> String {
    ((number * 1e3).round() / 1e3).to_string()
}

/// Three significant digits, of a number below 1,000.
fn three_digits(number: f64) -> String {
    match number {
        n if n >= 99.95 => format!("{n:.0}"),
        n if n >= 9.995 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// One decimal, unless it is a 0.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&values), 3.0);
        assert_eq!(quantile(&values, 1.0), 5.0);
        assert_eq!(quantile(&values, 0.9), 5.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn numbers_are_written_in_the_unit_that_suits_them() {
        assert_eq!(seconds(1.034), "1.03 s");
        assert_eq!(seconds(0.9999), "1.00 s");
        assert_eq!(seconds(0.0441), "44.1 ms");
        assert_eq!(seconds(23.4e-6), "23.4 µs");
        assert_eq!(bytes(5.0), "5 B");
        assert_eq!(bytes(65_536.0), "64 KiB");
        assert_eq!(bytes(2.5 * 1_048_576.0), "2.5 MiB");
        assert_eq!([count(7), count(28_232)], ["7", "28,232"]);
        assert_eq!([decimal(0.2 + 0.1), decimal(4.0)], ["0.3", "4"]);
    }
}
