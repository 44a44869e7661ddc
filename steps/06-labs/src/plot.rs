//! A picture, where it says more than a table: SVG, written by hand.
//!
//! SVG is text, and a plot is a few hundred lines of it. The colours are those
//! of the reader's theme, light or dark.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Around the drawing: room for what is written beside it.
const LEFT: f64 = 88.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 56.0;
/// Told apart on white and on black, and by the colour-blind.
const COLOURS: [&str; 3] = ["#2485c7", "#d55e00", "#009e73"];

const STYLE: &str = "svg{background:#fff;color:#222;font:14px sans-serif}\
    text{fill:currentColor}\
    @media(prefers-color-scheme:dark){svg{background:#1b1b1b;color:#ddd}}";

/// A picture of one or more series over common axes.
#[derive(Debug)]
pub(crate) struct Plot {
    /// What it shows, in a sentence.
    pub(crate) title: String,
    /// From left to right.
    pub(crate) x: Axis,
    /// From bottom to top.
    pub(crate) y: Axis,
    /// What is drawn.
    pub(crate) series: Vec<Series>,
}

/// One axis.
#[derive(Debug)]
pub(crate) struct Axis {
    /// What it measures.
    pub(crate) label: &'static str,
    /// Whether equal steps are equal ratios.
    pub(crate) logarithmic: bool,
    /// Values, and what to write there; the outermost bound the drawing.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to past the largest of `values`, in four to ten equal steps.
    pub(crate) fn linear(
        label: &'static str,
        values: impl IntoIterator<Item = f64>,
        written: impl Fn(f64) -> String,
    ) -> Self {
        let most = values.into_iter().fold(0.0, f64::max);
        let magnitude = 10_f64.powf((most.max(1e-9) / 4.0).log10().floor());
        let fits = |&&step: &&f64| most / (step * magnitude) <= 8.0;
        let step = [1.0, 2.0, 5.0].iter().find(fits).unwrap_or(&10.0);
        let step = step * magnitude;
        let count = (most / step).ceil().max(1.0) as u32;
        let value = |n: u32| f64::from(n) * step;
        let ticks = (0..=count).map(|n| (value(n), written(value(n))));
        Self { label, logarithmic: false, ticks: ticks.collect() }
    }

    /// Where `value` lies, from 0 to 1.
    // ANCHOR: share
    fn share(&self, value: f64) -> f64 {
        let place = |v: f64| if self.logarithmic { v.log10() } else { v };
        let bounds = (self.ticks.first(), self.ticks.last());
        let (Some((least, _)), Some((most, _))) = bounds else { return 0.0 };
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

impl Plot {
    /// The file.
    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title>{0}</title>\n\
             <style>{STYLE}</style>\n\
             <text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">{0}</text>\n",
            escaped(&self.title)
        );
        self.draw_grid(&mut svg);
        for (number, series) in self.series.iter().enumerate() {
            self.draw(series, number, &mut svg);
        }
        svg + "</svg>\n"
    }

    fn column(&self, x: f64) -> f64 {
        LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)
    }

    fn line(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM)
    }

    // Writing to a String can't fail, here and below.
    fn draw_grid(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let grid = "stroke=\"currentColor\" stroke-opacity=\".2\"";
        for (value, text) in &self.x.ticks {
            let (x, y) = (self.column(*value), bottom + 20.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" {grid}/><text x=\"{x:.1}\" \
                 y=\"{y}\" text-anchor=\"middle\">{text}</text>"
            );
        }
        for (value, text) in &self.y.ticks {
            let y = self.line(*value);
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
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_past_the_largest_value() {
        let axis = Axis::linear("", [3.1, 2.0], |v| format!("{v:.1}"));
        let (last, text) = axis.ticks.last().expect("ticks");
        assert!(*last >= 3.1 && axis.ticks.len() <= 10, "{axis:?}");
        assert_eq!(*text, format!("{last:.1}"));
        assert_eq!(axis.share(0.0), 0.0);
        assert_eq!(axis.share(*last), 1.0);
    }

    #[test]
    fn on_a_logarithmic_axis_equal_steps_are_equal_ratios() {
        let ticks = [1.0, 10.0, 1_000.0].map(|n| (n, String::new())).into();
        let axis = Axis { label: "", logarithmic: true, ticks };
        assert!((axis.share(10.0) - 1.0 / 3.0).abs() < 1e-9);
    }
}
