//! A picture, where it says more than a table: SVG, written by hand.
//!
//! SVG is text, and a plot is a few hundred lines of it. Axes and labels have
//! the colour of the text around them, so that it reads well on a light page,
//! on a dark one, and on paper.

use std::fmt::Write;

pub use super::axis::{Axis, Format, Scale};
use super::series::most;
pub use super::series::{Series, Style, colour, highest};
use crate::results::units::quantile;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Around the drawing: room for what is written beside it.
const LEFT: f64 = 88.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 56.0;
const FLOOR: f64 = HEIGHT - BOTTOM;
const GRID: &str = "stroke=\"currentColor\" stroke-opacity=\".2\"";

/// For a picture that is opened by itself. Within a page it is not the root,
/// and the page's own style holds.
const STYLE: &str = "svg:root{background:#fff;color:#222;font:14px sans-serif}\
    @media(prefers-color-scheme:dark){\
    svg:root{background:#1b1b1b;color:#ddd}}";

/// A picture of one or more series over common axes.
#[derive(Debug)]
pub struct Plot {
    /// What it shows, in a sentence.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Where something happened, from left to right.
    pub marks: Vec<f64>,
}

impl Plot {
    /// Over linear axes, with what each of them measures and how it is written.
    #[must_use]
    pub fn linear(
        title: &str,
        (x_label, x_format): (&'static str, Format),
        (y_label, y_format): (&'static str, Format),
        series: Vec<Series>,
    ) -> Self {
        let furthest = most(&series, |point| point.0);
        let x = Axis::linear(x_label, furthest, x_format);
        let y = Axis::linear(y_label, highest(&series), y_format);
        Self { title: title.into(), x, y, series, marks: Vec::new() }
    }

    /// The file. As it is, it can also stand in a page.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             fill=\"currentColor\">\n<style>{STYLE}</style>\n\
             <text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">{}</text>\n",
            escaped(&self.in_words()),
            escaped(&self.title)
        );
        self.draw_grid(&mut svg);
        for (number, series) in self.series.iter().enumerate() {
            self.draw_name(series, number, &mut svg);
            self.draw(series, &mut svg);
        }
        for &mark in &self.marks {
            let x = self.column(mark);
            // Writing to a String can't fail, here and below.
            let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}l-4 -8h8z\"/>");
        }
        svg + "</svg>\n"
    }

    /// For readers that can't see it.
    fn in_words(&self) -> String {
        let mut text = format!(
            "{}. To the right: {}; upwards: {}.",
            self.title, self.x.label, self.y.label
        );
        for Series { name, points, .. } in &self.series {
            let values: Vec<_> = points.iter().map(|point| point.1).collect();
            let [least, middle, most] = [0.0, 0.5, 1.0]
                .map(|share| (self.y.format)(quantile(&values, share)));
            let _ = write!(
                text,
                " {name}: from {least} to {most}, half of the points not \
                 above {middle}."
            );
        }
        text
    }

    fn column(&self, x: f64) -> f64 {
        LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)
    }

    fn line(&self, y: f64) -> f64 {
        FLOOR - self.y.share(y) * (FLOOR - TOP)
    }

    fn draw_grid(&self, svg: &mut String) {
        let right = WIDTH - RIGHT;
        for &value in &self.x.ticks {
            let (x, y) = (self.column(value), FLOOR + 20.0);
            let text = escaped(&(self.x.format)(value));
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{FLOOR}\" {GRID}/><text x=\"{x:.1}\" \
                 y=\"{y}\" text-anchor=\"middle\">{text}</text>"
            );
        }
        for &value in &self.y.ticks {
            let (y, text) = (self.line(value), (self.y.format)(value));
            let (x, base) = (LEFT - 8.0, y + 5.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" {GRID}/><text x=\"{x}\" \
                 y=\"{base:.1}\" text-anchor=\"end\">{}</text>",
                escaped(&text)
            );
        }
        let (middle, low) = (f64::midpoint(LEFT, right), HEIGHT - 12.0);
        let height = f64::midpoint(TOP, FLOOR);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(20 {height}) rotate(-90)\" \
             text-anchor=\"middle\">{}</text>",
            escaped(self.x.label),
            escaped(self.y.label)
        );
    }

    fn draw_name(&self, series: &Series, number: usize, svg: &mut String) {
        let (colour, name) = (colour(series.colour), escaped(&series.name));
        let share = (WIDTH - LEFT) / self.series.len().max(3) as f64;
        let left = LEFT + 6.0 + share * number as f64;
        let text = left + 12.0;
        let _ = writeln!(
            svg,
            "<circle cx=\"{left:.1}\" cy=\"47\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{text:.1}\" y=\"52\">{name}</text>"
        );
    }

    fn draw(&self, series: &Series, svg: &mut String) {
        let colour = colour(series.colour);
        let points = series.points.iter();
        let places: Vec<_> =
            points.map(|&(x, y)| (self.column(x), self.line(y))).collect();
        if series.style == Style::Line {
            let path: Vec<_> =
                places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"2.5\"/>",
                path.join(" ")
            );
        }
        let step = self.column(1.0) - self.column(0.0);
        let radius = if places.len() > 60 { 2.0 } else { 3.5 };
        for (x, y) in places {
            let _ = match series.style {
                Style::Bars(width) => {
                    let width = step * f64::from(width) / 100.0;
                    let (left, height) = (x - width / 2.0, FLOOR - y);
                    writeln!(
                        svg,
                        "<rect x=\"{left:.1}\" y=\"{y:.1}\" \
                         width=\"{width:.1}\" height=\"{height:.1}\" \
                         fill=\"{colour}\"/>"
                    )
                }
                _ => writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" \
                     fill=\"{colour}\"/>"
                ),
            };
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(most: f64) -> Axis {
        Axis::linear("latency", most, |value| format!("{value:.1} s"))
    }

    #[test]
    fn a_picture_has_a_description_in_words() {
        let points = vec![(0.0, 0.0), (1.0, 0.1), (2.0, 2.0)];
        let series = Series {
            name: "\"A\"".into(),
            colour: 9,
            style: Style::Bars(50),
            points,
        };
        let (x, y) = (axis(2.0), axis(2.0));
        let (title, series) = ("T".into(), vec![series]);
        let plot = Plot { title, x, y, series, marks: vec![1.0] };
        let words = "&quot;A&quot;: from 0.0 s to 2.0 s, half of the points \
                     not above 0.1 s.\"";
        assert!(plot.svg().contains(words), "{}", plot.svg());
    }
}
