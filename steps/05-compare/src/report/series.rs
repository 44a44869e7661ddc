//! The points of a plot, and the colour that they have.

/// Told apart on white and on black, and by the colour-blind.
const COLOURS: [&str; 7] = [
    "#2485c7", "#d55e00", "#009e73", "#be5ab4", "#c83c46", "#96902a", "#788490",
];

/// What is drawn in one colour.
#[derive(Debug)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its colour: the number of a server, for instance.
    pub colour: usize,
    /// How it is drawn.
    pub style: Style,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Each by itself.
    Points,
    /// Joined by a line.
    Line,
    /// As bars, so wide in hundredths of a step along the x axis.
    Bars(u8),
}

/// The colour with this number, as CSS writes it.
#[must_use]
pub fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// The highest point of all.
#[must_use]
pub fn highest(series: &[Series]) -> f64 {
    most(series, |point| point.1)
}

pub(super) fn most(series: &[Series], of: fn(&(f64, f64)) -> f64) -> f64 {
    let points = series.iter().flat_map(|series| &series.points);
    points.map(of).fold(0.0, f64::max)
}
