//! Medians and percentiles, and how to write a number.

pub(crate) use compare::results::units::quantile;
use compare::results::units::three_digits;
use indicatif::HumanCount;

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
pub(crate) fn count(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// No more decimals than it takes, and three at most: `0.25`, `4`.
pub(crate) fn decimal(number: f64) -> String {
    ((number * 1e3).round() / 1e3).to_string()
}

/// One decimal, unless it is a 0.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), Into::into)
}

#[cfg(test)]
#[path = "../tests/unit/figures.rs"]
mod tests;
