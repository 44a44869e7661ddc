//! A picture, where it says more than a table: SVG, written by hand.
//!
//! SVG is text, and a plot is a few hundred lines of it. The colours are those
//! of the reader's theme, light or dark.

use std::fmt::Write;

use crate::figures::quantile;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Around the drawing: room for what is written beside it.
const LEFT: f64 = 88.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 56.0;
/// Distinct on white and on black, and by the colour-blind.
const COLOURS: [&str; 3] = ["#2485c7", "#d55e00", "#009e73"];

/// For a picture that is opened by itself. Within a page it is not the root,
/// and the page's own style holds.
const STYLE: &str = "svg:root{background:#fff;color:#222;font:14px sans-serif}\
    @media(prefers-color-scheme:dark){\
    svg:root{background:#1b1b1b;color:#ddd}}";

/// A picture of one or more series over common axes.
#[derive(Debug)]
pub(crate) struct Plot {
    /// What it shows, in a sentence.
    pub(crate) title: &'static str,
    /// From left to right.
    pub(crate) x: Axis,
    /// From bottom to top.
    pub(crate) y: Axis,
    /// What is drawn.
    pub(crate) series: Vec<Series>,
}

/// How a value is written on an axis.
pub(crate) type Written = fn(f64) -> String;

/// One axis.
#[derive(Debug)]
pub(crate) struct Axis {
    /// What it measures.
    pub(crate) label: &'static str,
    /// Whether equal steps are equal ratios.
    pub(crate) logarithmic: bool,
    /// Where a value is written; the outermost bound the drawing.
    pub(crate) ticks: Vec<f64>,
    /// How it is written.
    pub(crate) written: Written,
}

impl Axis {
    /// From 0 to `most` or a little further, in four to ten equal steps.
    pub(crate) fn linear(
        label: &'static str,
        most: f64,
        written: Written,
    ) -> Self {
        let magnitude = 10_f64.powf((most.max(1e-9) / 4.0).log10().floor());
        let fits = |&&step: &&f64| most / (step * magnitude) <= 8.0;
        let step = [1.0, 2.0, 5.0].iter().find(fits).unwrap_or(&10.0);
        let step = step * magnitude;
        let count = (most / step).ceil().max(1.0) as u32;
        let ticks = (0..=count).map(|n| f64::from(n) * step).collect();
        Self { label, logarithmic: false, ticks, written }
    }

    /// Where `value` lies, from 0 to 1.
    // ANCHOR: share
    fn share(&self, value: f64) -> f64 {
        let place = |v: f64| if self.logarithmic { v.log10() } else { v };
        let bounds = (self.ticks.first(), self.ticks.last());
        let (Some(least), Some(most)) = bounds else { return 0.0 };
        let (least, most) = (place(*least), place(*most));
        ((place(value) - least) / (most - least)).clamp(0.0, 1.0)
    }
    // ANCHOR_END: share
}

/// What is drawn in one colour.
#[derive(Debug)]
pub(crate) struct Series {
    /// What it is.
    pub(crate) name: String,
    /// Whether the points are joined.
    pub(crate) line: bool,
    /// From left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// The highest point of all.
pub(crate) fn highest(series: &[Series]) -> f64 {
    most(series, |point| point.1)
}

fn most(series: &[Series], of: fn(&(f64, f64)) -> f64) -> f64 {
    let points = series.iter().flat_map(|series| &series.points);
    points.map(of).fold(0.0, f64::max)
}

impl Plot {
    /// Over linear axes, with what each of them measures and how it is written.
    pub(crate) fn linear(
        title: &'static str,
        (x_label, x_written): (&'static str, Written),
        (y_label, y_written): (&'static str, Written),
        series: Vec<Series>,
    ) -> Self {
        let furthest = most(&series, |point| point.0);
        let x = Axis::linear(x_label, furthest, x_written);
        let y = Axis::linear(y_label, highest(&series), y_written);
        Self { title, x, y, series }
    }

    /// The file. As it is, it can also stand in a page.
    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             fill=\"currentColor\">\n<style>{STYLE}</style>\n\
             <text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">{}</text>\n",
            escaped(&self.in_words()),
            escaped(self.title)
        );
        self.draw_grid(&mut svg);
        for (number, series) in self.series.iter().enumerate() {
            self.draw(series, number, &mut svg);
        }
        svg + "</svg>\n"
    }

    /// The text alternative.
    fn in_words(&self) -> String {
        let mut text = format!(
            "{}. To the right: {}; upwards: {}.",
            self.title, self.x.label, self.y.label
        );
        for Series { name, points, .. } in &self.series {
            let values: Vec<_> = points.iter().map(|point| point.1).collect();
            let [least, middle, most] = [0.0, 0.5, 1.0]
                .map(|share| (self.y.written)(quantile(&values, share)));
            // Writing to a String can't fail, here and below.
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
        HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw_grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let grid = "stroke=\"currentColor\" stroke-opacity=\".2\"";
        for &value in &self.x.ticks {
            let (x, y) = (self.column(value), bottom + 20.0);
            let text = (self.x.written)(value);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" {grid}/><text x=\"{x:.1}\" \
                 y=\"{y}\" text-anchor=\"middle\">{text}</text>"
            );
        }
        for &value in &self.y.ticks {
            let (y, text) = (self.line(value), (self.y.written)(value));
            let (x, base) = (LEFT - 8.0, y + 5.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" {grid}/><text x=\"{x}\" \
                 y=\"{base:.1}\" text-anchor=\"end\">{text}</text>"
            );
        }
        let (middle, low) = (f64::midpoint(LEFT, right), HEIGHT - 12.0);
        let height = f64::midpoint(TOP, bottom);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {height})rotate(-90)\" \
             text-anchor=\"middle\">{}</text>",
            self.x.label, self.y.label
        );
    }

    fn draw(&self, series: &Series, number: usize, svg: &mut String) {
        let colour = COLOURS[number % COLOURS.len()];
        let left = LEFT + 210.0 * number as f64;
        let (text, name) = (left + 12.0, escaped(&series.name));
        let _ = writeln!(
            svg,
            "<circle cx=\"{left}\" cy=\"47\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{text}\" y=\"52\">{name}</text>"
        );
        let places: Vec<_> = series
            .points
            .iter()
            .map(|&(x, y)| (self.column(x), self.line(y)))
            .collect();
        if series.line {
            let path: Vec<_> =
                places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"2.5\"/>",
                path.join(" ")
            );
        }
        let radius = if places.len() > 60 { 2.0 } else { 3.5 };
        for (x, y) in places {
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" \
                 fill=\"{colour}\"/>"
            );
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
    fn an_axis_reaches_past_the_largest_value() {
        let axis = axis(3.1);
        let last = *axis.ticks.last().expect("ticks");
        assert!(last >= 3.1 && axis.ticks.len() <= 10, "{axis:?}");
        assert_eq!(axis.share(0.0), 0.0);
        assert_eq!(axis.share(last), 1.0);
    }

    #[test]
    fn on_a_logarithmic_axis_equal_steps_are_equal_ratios() {
        let ticks = vec![1.0, 10.0, 1_000.0];
        let axis = Axis { logarithmic: true, ticks, ..axis(1.0) };
        assert!((axis.share(10.0) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_picture_is_told_in_words_too() {
        let points = vec![(0.0, 0.0), (1.0, 0.1), (2.0, 2.0)];
        let series = vec![Series { name: "\"A\"".into(), line: false, points }];
        let (x, y) = (axis(2.0), axis(2.0));
        let plot = Plot { title: "T", x, y, series };
        let words = "&quot;A&quot;: from 0.0 s to 2.0 s, half of the points \
                     not above 0.1 s.\"";
        assert!(plot.svg().contains(words), "{}", plot.svg());
    }
}
