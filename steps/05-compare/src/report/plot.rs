//! A picture, where it says more than a table: SVG, from a template.
//!
//! Axes and labels have the colour of the text around them, so that it reads
//! well on a light page, on a dark one, and on paper.

use maud::{Markup, PreEscaped, html};

pub use super::axis::{Axis, Format, Scale};
use crate::results::units::quantile;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Around the drawing: room for what is written beside it.
const LEFT: f64 = 88.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 72.0;
const FLOOR: f64 = HEIGHT - 56.0;

/// For a picture that is opened by itself. Within a page it is not the root,
/// and the page's own style holds.
const STYLE: &str = "svg:root{background:#fff;color:#222;font:14px sans-serif}\
    @media(prefers-color-scheme:dark){\
    svg:root{background:#1b1b1b;color:#ddd}}";

/// Told apart on white and on black, and by the colour-blind.
const COLOURS: [&str; 7] = [
    "#2485c7", "#d55e00", "#009e73", "#be5ab4", "#c83c46", "#96902a", "#788490",
];

fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// What is drawn in one colour: what it is, and its points from left to right.
pub type Series = (String, Vec<(f64, f64)>);

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// Each by itself.
    Points,
    /// Joined by a line.
    Line,
    /// As bars, so wide in steps along the x axis.
    Bars(f64),
}

/// One coordinate of all points.
pub(crate) fn values(
    series: &[Series],
    of: fn(&(f64, f64)) -> f64,
) -> Vec<f64> {
    series.iter().flat_map(|(_, points)| points).map(of).collect()
}

/// A picture of one or more series over common axes.
#[derive(Debug)]
pub struct Plot {
    /// What it shows, in a sentence.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// How all of it is drawn.
    pub style: Style,
    /// What is drawn, each in a colour of its own.
    pub series: Vec<Series>,
}

impl Plot {
    /// Over linear axes, with what each of them measures and how it is written.
    pub fn linear(
        title: &str,
        (x_label, x_format): (&'static str, Format),
        (y_label, y_format): (&'static str, Format),
        style: Style,
        series: Vec<Series>,
    ) -> Self {
        let [x, y] = [values(&series, |p| p.0), values(&series, |p| p.1)];
        let x = Axis::linear(x_label, &x, x_format);
        let y = Axis::linear(y_label, &y, y_format);
        Self { title: title.into(), x, y, style, series }
    }

    /// The file. As it is, it can also stand in a page.
    pub fn svg(&self) -> String {
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" role="img"
                aria-label=(self.in_words()) fill="currentColor"
                viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                style { (PreEscaped(STYLE)) }
                text x=(LEFT) y="24" font-weight="bold" { (self.title) }
                (self.grid())
                @for (number, (name, points)) in self.series.iter().enumerate() {
                    (self.name(name, number))
                    (self.draw(points, colour(number)))
                }
            }
        };
        svg.into_string() + "\n"
    }

    /// For readers that can't see it.
    fn in_words(&self) -> String {
        let Self { title, x, y, series, .. } = self;
        let series = series.iter().map(|(name, points)| {
            let values: Vec<_> = points.iter().map(|point| point.1).collect();
            let [least, middle, most] = [0.0, 0.5, 1.0]
                .map(|share| (y.format)(quantile(&values, share)));
            format!(
                " {name}: from {least} to {most}, half of the points not \
                 above {middle}."
            )
        });
        format!(
            "{title}. To the right: {}; upwards: {}.{}",
            x.label,
            y.label,
            series.collect::<String>()
        )
    }

    fn column(&self, x: f64) -> f64 {
        pixels(LEFT + self.x.share(x) * (RIGHT - LEFT))
    }

    fn line(&self, y: f64) -> f64 {
        pixels(FLOOR - self.y.share(y) * (FLOOR - TOP))
    }

    fn grid(&self) -> Markup {
        let (x, y) = (&self.x, &self.y);
        let columns = x.ticks.iter().map(|&tick| (tick, self.column(tick)));
        let lines = y.ticks.iter().map(|&tick| (tick, self.line(tick)));
        let turned =
            format!("translate(20 {}) rotate(-90)", (TOP + FLOOR) / 2.0);
        html! {
            g text-anchor="middle" {
                @for (value, x) in columns {
                    (grid_line(format!("M{x} {TOP}V{FLOOR}")))
                    text x=(x) y=(FLOOR + 20.0) { ((self.x.format)(value)) }
                }
                text x=((LEFT + RIGHT) / 2.0) y=(HEIGHT - 12.0) { (x.label) }
                text transform=(turned) { (y.label) }
            }
            g text-anchor="end" {
                @for (value, line) in lines {
                    (grid_line(format!("M{LEFT} {line}H{RIGHT}")))
                    text x=(LEFT - 8.0) y=(line + 5.0) { ((y.format)(value)) }
                }
            }
        }
    }

    fn name(&self, name: &str, number: usize) -> Markup {
        let share = (WIDTH - LEFT) / self.series.len().max(3) as f64;
        let left = pixels(LEFT + 6.0 + share * number as f64);
        html! {
            circle cx=(left) cy="47" r="5" fill=(colour(number)) {}
            text x=(left + 12.0) y="52" { (name) }
        }
    }

    fn draw(&self, points: &[(f64, f64)], colour: &str) -> Markup {
        let points = points.iter();
        let places: Vec<_> =
            points.map(|&(x, y)| (self.column(x), self.line(y))).collect();
        let path: Vec<_> =
            places.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let step = self.column(1.0) - self.column(0.0);
        let radius = if places.len() > 60 { 2.0 } else { 3.5 };
        html! {
            @if self.style == Style::Line {
                polyline points=(path.join(" ")) fill="none" stroke=(colour)
                    stroke-width="2.5" {}
            }
            g fill=(colour) {
                @for (x, y) in places {
                    @if let Style::Bars(width) = self.style {
                        @let width = pixels(width * step);
                        rect x=(pixels(x - width / 2.0)) y=(y) width=(width)
                            height=(pixels(FLOOR - y)) {}
                    } @else {
                        circle cx=(x) cy=(y) r=(radius) {}
                    }
                }
            }
        }
    }
}

fn grid_line(path: String) -> Markup {
    html! { path d=(path) stroke="currentColor" stroke-opacity=".2" {} }
}

/// To a tenth of a pixel: more only makes the file longer.
fn pixels(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
