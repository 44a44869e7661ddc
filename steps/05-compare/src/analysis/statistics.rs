//! A ratio of figures from several rounds, with its interval.

use serde::Serialize;

/// How many times one server's figure is another's, and between which bounds
/// that lies with a confidence of 95 %.
// ANCHOR: ratio
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    /// From pairs of figures, each pair of one round: a round in which the
    /// machine was slow was slow for both. `None` of fewer than two pairs.
    pub(crate) fn paired(
        pairs: &[(f64, f64)],
        confidence: Confidence,
    ) -> Option<Self> {
        let logarithms = logarithms(pairs.iter().map(|(a, b)| a / b));
        let sample = Sample::of(&logarithms)?;
        let freedom = logarithms.len() as f64 - 1.0;
        let margin = student(freedom, confidence) * sample.error();
        Some(Self::around(sample.mean, margin))
    }

    /// From figures that have no rounds in common, after B. L. Welch.
    pub(crate) fn unpaired(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let (ours, theirs) = (
            logarithms(ours.iter().copied()),
            logarithms(theirs.iter().copied()),
        );
        let (a, b) = (Sample::of(&ours)?, Sample::of(&theirs)?);
        let squared_error = a.squared_error + b.squared_error;
        let part = |sample: &Sample, count: usize| {
            sample.squared_error.powi(2) / (count as f64 - 1.0)
        };
        let parts = part(&a, ours.len()) + part(&b, theirs.len());
        let freedom =
            if parts > 0.0 { squared_error.powi(2) / parts } else { 1.0 };
        let student = student(freedom, Confidence::P95);
        Some(Self::around(a.mean - b.mean, student * squared_error.sqrt()))
    }

    fn around(mean: f64, margin: f64) -> Self {
        Self {
            value: mean.exp(),
            low: (mean - margin).exp(),
            high: (mean + margin).exp(),
        }
    }
    // ANCHOR_END: ratio

    /// Whether 1 is a ratio that is not within the bounds, nor nearer to them
    /// than `smallest` (0.01: one hundredth).
    pub(crate) fn excludes_one(&self, smallest: f64) -> bool {
        self.low > 1.0 + smallest || self.high < 1.0 / (1.0 + smallest)
    }
}

/// Ratios multiply, so their mean is that of their logarithms. What has none
/// (a figure of zero) is left out.
fn logarithms(values: impl Iterator<Item = f64>) -> Vec<f64> {
    values.map(f64::ln).filter(|logarithm| logarithm.is_finite()).collect()
}

struct Sample {
    mean: f64,
    /// The square of the mean's standard error.
    squared_error: f64,
}

impl Sample {
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0);
        Some(Self { mean, squared_error: variance / count })
    }

    fn error(&self) -> f64 {
        self.squared_error.sqrt()
    }
}

/// How often the interval is to hold the true ratio, of a hundred times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confidence {
    P95,
    P99,
}

/// Student's t, two-sided: how many standard errors wide the margin is. Few
/// rounds say little about how much rounds differ; hence the large numbers at
/// the start.
fn student(freedom: f64, confidence: Confidence) -> f64 {
    const P95: [f64; 10] =
        [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    const P99: [f64; 10] =
        [63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169];
    // Past the table: within 1 % of the exact value.
    let (table, beyond) = match confidence {
        Confidence::P95 => (P95, 1.96 + 2.7 / freedom),
        Confidence::P99 => (P99, 2.576 + 5.6 / freedom),
    };
    let index = (freedom.max(1.0) as usize).saturating_sub(1);
    table.get(index).copied().unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired(rounds: &[(f64, f64)]) -> Ratio {
        Ratio::paired(rounds, Confidence::P95).expect("enough rounds")
    }

    #[test]
    fn a_steady_ratio_has_a_narrow_interval_however_the_rounds_differ() {
        let ratio = paired(&[(1.0, 2.0), (50.0, 100.0), (7.0, 14.0)]);
        assert!((ratio.value - 0.5).abs() < 1e-12, "{ratio:?}");
        assert!(ratio.high - ratio.low < 1e-9, "{ratio:?}");
        assert!(ratio.excludes_one(0.01));
    }

    #[test]
    fn rounds_that_disagree_say_no_difference() {
        let ratio = paired(&[(1.0, 2.0), (2.0, 1.0), (1.0, 1.1)]);
        assert!(!ratio.excludes_one(0.01), "{ratio:?}");
    }

    #[test]
    fn the_interval_is_that_of_the_textbook() {
        // Logarithms 0, 1, 2: mean 1, standard error 1/√3, t(2) = 4.303.
        let e = std::f64::consts::E;
        let ratio = paired(&[(1.0, 1.0), (e, 1.0), (e * e, 1.0)]);
        let margin = 4.303 / 3_f64.sqrt();
        assert!((ratio.value.ln() - 1.0).abs() < 1e-12);
        assert!((ratio.high.ln() - 1.0 - margin).abs() < 1e-12);
    }

    #[test]
    fn one_round_has_no_interval_and_a_figure_of_zero_no_ratio() {
        let paired = |pairs: &[_]| Ratio::paired(pairs, Confidence::P95);
        assert_eq!(paired(&[(1.0, 2.0)]), None);
        assert_eq!(paired(&[(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]), None);
        assert_eq!(Ratio::unpaired(&[1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn figures_of_two_runs_are_compared_without_pairs() {
        let (before, after) = ([10.0, 11.0, 9.0], [5.0, 5.5, 4.5]);
        let ratio = Ratio::unpaired(&after, &before).expect("three rounds");
        assert!((ratio.value - 0.5).abs() < 1e-12 && ratio.excludes_one(0.01));
        let same = Ratio::unpaired(&before, &before).expect("three rounds");
        assert!(!same.excludes_one(0.0));
    }

    #[test]
    fn more_rounds_need_fewer_standard_errors() {
        let p95 = |freedom| student(freedom, Confidence::P95);
        assert!((p95(4.0) - 2.776).abs() < 1e-9);
        assert!((p95(30.0) - 2.042).abs() < 0.02);
        assert!((p95(1e9) - 1.96).abs() < 1e-3);
        assert!((student(30.0, Confidence::P99) - 2.75).abs() < 0.03);
    }
}
