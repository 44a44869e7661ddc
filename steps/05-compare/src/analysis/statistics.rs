//! A ratio of figures from several rounds, with its interval.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How often an interval is to hold the true ratio.
pub(crate) const USUAL: f64 = 0.95;

/// How many times one server's figure is another's, and between which bounds
/// that lies with a certain confidence.
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
        confidence: f64,
    ) -> Option<Self> {
        let ratios = Sample::of(pairs.iter().map(|(a, b)| a / b))?;
        let student = student(ratios.freedom, confidence);
        Some(Self::around(ratios.mean, student * ratios.squared_error.sqrt()))
    }

    /// From figures that have no rounds in common, after B. L. Welch.
    pub(crate) fn unpaired(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let sample = |figures: &[f64]| Sample::of(figures.iter().copied());
        let (a, b) = (sample(ours)?, sample(theirs)?);
        let squared_error = a.squared_error + b.squared_error;
        let part =
            |sample: &Sample| sample.squared_error.powi(2) / sample.freedom;
        let parts = part(&a) + part(&b);
        let freedom =
            if parts > 0.0 { squared_error.powi(2) / parts } else { 1.0 };
        let student = student(freedom, USUAL);
        Some(Self::around(a.mean - b.mean, student * squared_error.sqrt()))
    }

    fn around(mean: f64, margin: f64) -> Self {
        let [value, low, high] =
            [mean, mean - margin, mean + margin].map(f64::exp);
        Self { value, low, high }
    }

    /// Whether 1 is a ratio that is not within the bounds, nor nearer to them
    /// than `smallest` (0.01: one hundredth).
    pub(crate) fn excludes_one(&self, smallest: f64) -> bool {
        self.low > 1.0 + smallest || self.high < 1.0 / (1.0 + smallest)
    }
}

/// The logarithms of figures: ratios multiply, and logarithms add up.
struct Sample {
    mean: f64,
    /// The square of the mean's standard error.
    squared_error: f64,
    /// Degrees of freedom.
    freedom: f64,
}

impl Sample {
    /// Without zeros, which have no logarithm. `None` of fewer than two.
    fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let logarithms = figures.map(f64::ln).filter(|log| log.is_finite());
        let logarithms: Vec<_> = logarithms.collect();
        let count = logarithms.len() as f64;
        let freedom = count - 1.0;
        let mean = logarithms.iter().sum::<f64>() / count;
        let squares = logarithms.iter().map(|log| (log - mean).powi(2));
        let squared_error = squares.sum::<f64>() / freedom / count;
        (count > 1.0).then_some(Self { mean, squared_error, freedom })
    }
}

/// Student's t, two-sided: how many standard errors wide the margin is. Few
/// rounds say little about how much rounds differ: of two it is 13.
fn student(freedom: f64, confidence: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom)
        .map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + confidence / 2.0))
}
