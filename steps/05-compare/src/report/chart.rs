//! A chart as SVG text, to be put into a page.
//!
//! The colour of the page's text is that of axes and labels, so that a chart
//! reads well on a light page, on a dark one, and on paper.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scale::{Scale, plain};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Builder<'a, 'b> = ChartBuilder<'a, 'b, SVGBackend<'b>>;
/// Writing into a string does not fail: an error here is one of ours.
type Drawn = Result<(), Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (480, 320);
const FONT: (&str, i32) = ("sans-serif", 13);
/// Stands for the colour of the page's text.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_IN_SVG: &str = "#010203";
/// Readable on white and on black, and told apart by the colour-blind.
const COLOURS: [RGBColor; 7] = [
    RGBColor(230, 126, 34),
    RGBColor(46, 134, 222),
    RGBColor(29, 158, 117),
    RGBColor(190, 90, 180),
    RGBColor(200, 60, 70),
    RGBColor(150, 140, 40),
    RGBColor(120, 130, 140),
];

/// The values of one server.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Which colour: the same server has the same in all charts.
    pub(crate) colour: usize,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A chart of one or two axes with scales.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x: (&'static str, Scale),
    pub(crate) y: (&'static str, Scale),
    pub(crate) series: Vec<Series>,
    /// Points, and no line through them.
    pub(crate) scattered: bool,
    /// Where something happened, along the x axis.
    pub(crate) stamps: Vec<f64>,
}

impl Chart {
    /// The chart as SVG.
    pub(crate) fn svg(&self) -> String {
        let mut svg = String::new();
        let drawn = self.draw(SVGBackend::with_string(&mut svg, SIZE));
        let names: Vec<_> =
            self.series.iter().map(|series| series.name.as_str()).collect();
        finish(drawn, svg, &format!("{}: {}", self.title, names.join(", ")))
    }

    fn places(&self) -> impl Iterator<Item = (usize, (f64, f64))> {
        self.series.iter().enumerate().flat_map(move |(index, series)| {
            let points = series.points.iter();
            points.map(move |&point| (index, self.place(point)))
        })
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.1.place(x), self.y.1.place(y))
    }

    fn draw(&self, backend: SVGBackend<'_>) -> Drawn {
        // A stamp may lie beyond the last point.
        let xs = self.places().map(|(_, (x, _))| x);
        let x_range = self.x.1.range(xs.chain(self.stamps.iter().copied()));
        let y_range = self.y.1.range(self.places().map(|(_, (_, y))| y));
        let ticks = (self.x.1.ticks(&x_range), self.y.1.ticks(&y_range));
        let top = y_range.end;
        let root = backend.into_drawing_area();
        let mut chart =
            frame(&root, 42).build_cartesian_2d(x_range, y_range)?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .label_style(FONT.into_font().color(&INK))
            .x_labels(ticks.0)
            .y_labels(ticks.1)
            .x_label_formatter(&|place| self.x.1.label(*place))
            .y_label_formatter(&|place| self.y.1.label(*place))
            .x_desc(self.x.0)
            .y_desc(self.y.0)
            .draw()?;
        for series in &self.series {
            let colour = colour(series.colour);
            let points = series.points.iter().map(|&point| self.place(point));
            let points: Vec<_> = points.filter(is_finite).collect();
            if !self.scattered {
                let line = colour.stroke_width(2);
                chart.draw_series(LineSeries::new(points.clone(), line))?;
            }
            let dot = |point| Circle::new(point, 2, colour.filled());
            chart.draw_series(points.into_iter().map(dot))?;
        }
        let stamps = self.stamps.iter();
        chart.draw_series(stamps.map(|&at| {
            TriangleMarker::new((at, top), -6, INK.filled()) // it points down
        }))?;
        root.present()?;
        Ok(())
    }
}

/// Bars: for each group one of each server.
#[derive(Debug)]
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) y: &'static str,
    /// The groups' names, and for each its servers' colours and values.
    pub(crate) groups: Vec<(String, Vec<(usize, f64)>)>,
}

impl Bars {
    /// The chart as SVG.
    pub(crate) fn svg(&self) -> String {
        let mut svg = String::new();
        let drawn = self.draw(SVGBackend::with_string(&mut svg, SIZE));
        finish(drawn, svg, &self.title)
    }

    fn draw(&self, backend: SVGBackend<'_>) -> Drawn {
        let values = self.groups.iter().flat_map(|(_, bars)| bars);
        let range = Scale::Linear.range(values.map(|&(_, value)| value));
        let root = backend.into_drawing_area();
        let count = self.groups.len();
        let mut chart =
            frame(&root, 30).build_cartesian_2d(0.0..count as f64, range)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .axis_style(INK)
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .label_style(FONT.into_font().color(&INK))
            .y_labels(6)
            .y_label_formatter(&|place| plain(*place))
            .y_desc(self.y)
            .draw()?;
        for (index, (name, bars)) in self.groups.iter().enumerate() {
            let start = index as f64;
            let width = 0.8 / bars.len() as f64;
            let bar = |(position, &(number, value)): (usize, &(usize, f64))| {
                let left = start + 0.1 + width * position as f64;
                let corners = [(left, 0.0), (left + width * 0.9, value)];
                Rectangle::new(corners, colour(number).filled())
            };
            chart.draw_series(bars.iter().enumerate().map(bar))?;
            let middle = Pos::new(HPos::Center, VPos::Top);
            let style = FONT.into_font().color(&INK).pos(middle);
            let at = chart.backend_coord(&(start + 0.5, 0.0));
            root.draw_text(name, &style, (at.0, at.1 + 8))?;
        }
        root.present()?;
        Ok(())
    }
}

/// A latency of 0 has no place on an axis of powers of ten.
fn is_finite(&(x, y): &(f64, f64)) -> bool {
    x.is_finite() && y.is_finite()
}

/// Room for the labels: that of those below in pixels.
fn frame<'a, 'b>(root: &'a Area<'b>, below: u32) -> Builder<'a, 'b> {
    let mut builder = ChartBuilder::on(root);
    builder
        .margin(10)
        .margin_right(24)
        .x_label_area_size(below)
        .y_label_area_size(58);
    builder
}

/// The colour of a server, as CSS writes it.
pub(crate) fn css_colour(index: usize) -> String {
    let RGBColor(red, green, blue) = colour(index);
    format!("rgb({red}, {green}, {blue})")
}

fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// As wide as its column in the page, in the colours of the page, and with a
/// name for those who do not see it.
fn finish(drawn: Drawn, svg: String, title: &str) -> String {
    if let Err(error) = drawn {
        return format!("<p>no chart: {error}</p>");
    }
    let title = super::page::escaped(title);
    let (width, height) = SIZE;
    svg.replace(INK_IN_SVG, "currentColor").replacen(
        &format!("<svg width=\"{width}\" height=\"{height}\""),
        &format!("<svg role=\"img\" aria-label=\"{title}\""),
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_to_nothing_makes_a_chart_too() {
        let mut chart = Chart {
            title: "T".into(),
            x: ("x", Scale::Linear),
            y: ("y", Scale::Log),
            series: Vec::new(),
            scattered: true,
            stamps: vec![5.0],
        };
        assert!(chart.svg().ends_with("</svg>\n"));
        let points = vec![(0.0, 0.0), (0.0, 1.0)];
        chart.series.push(Series { name: "c".into(), colour: 9, points });
        assert!(chart.svg().ends_with("</svg>\n"));
    }

    #[test]
    fn a_chart_has_the_page_s_colour_and_a_name() {
        let points = vec![(1.0, 2.0), (10.0, 3.0)];
        let series = vec![Series { name: "<c>".into(), colour: 0, points }];
        let chart = Chart {
            title: "T".into(),
            x: ("x", Scale::Log),
            y: ("y", Scale::Linear),
            series,
            scattered: false,
            stamps: vec![1.0],
        };
        let svg = chart.svg();
        assert!(svg.contains("aria-label=\"T: &lt;c&gt;\""), "{svg}");
        assert!(svg.contains("currentColor") && !svg.contains(INK_IN_SVG));
    }
}
