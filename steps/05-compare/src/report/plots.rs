//! The charts of a report: which figures stand in which.

use super::plot::{Axis, Format, Plot, Series, Style, highest};
use crate::results::metric::{CPU_PER_REQUEST, MEMORY, Metric, RPS, THREADS};
use crate::results::row::{Load, Results, Row};
use crate::results::units::three_digits;

/// A chart and what there is to say about it.
pub(crate) struct Figure {
    pub(crate) caption: String,
    pub(crate) svg: String,
}

/// All charts that the results have something for.
pub(crate) fn figures(results: &Results) -> Vec<Figure> {
    let mut figures: Vec<_> = [
        bars(results, &CPU_PER_REQUEST, "CPU time a request", "µs"),
        bars(results, &MEMORY, "Peak memory", "MiB"),
        throughput(results),
    ]
    .into_iter()
    .flatten()
    .collect();
    figures
        .extend(results.busy_loads().filter_map(|l| distribution(results, l)));
    figures.extend(results.busy_loads().filter_map(|l| over_time(results, l)));
    let idle: Vec<_> = results.loads.iter().filter(|load| load.idle).collect();
    for (metric, title, unit) in [
        (&MEMORY, "Memory with idle clients", "MiB"),
        (&THREADS, "Threads with idle clients", "threads"),
    ] {
        let caption = "Connected, answered once, and silent since.";
        figures.extend(ladder(results, &idle, metric, (title, unit), caption));
    }
    figures
}

/// A series for each server; what `points` has nothing for is left out.
fn series(
    results: &Results,
    style: Style,
    points: impl Fn(&str) -> Vec<(f64, f64)>,
) -> Vec<Series> {
    let servers = results.servers().into_iter().enumerate();
    let series = servers.map(|(colour, name)| {
        let points = points(name).into_iter();
        let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
        let (name, points) = (name.into(), points.collect());
        Series { name, colour, style, points }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

const PLAIN: Format = |value| three_digits((value * 1e6).round() / 1e6);

fn values(series: &[Series], of: fn(&(f64, f64)) -> f64) -> Vec<f64> {
    series.iter().flat_map(|series| &series.points).map(of).collect()
}

fn log(label: &'static str, values: Vec<f64>) -> Axis {
    Axis::log(label, values.into_iter(), PLAIN)
}

fn figure(plot: Plot, caption: &str) -> Option<Figure> {
    let caption = caption.into();
    (!plot.series.is_empty()).then(|| Figure { caption, svg: plot.svg() })
}

/// How much of the requests stay under which latency.
// ANCHOR: distribution
fn distribution(results: &Results, load: &Load) -> Option<Figure> {
    let series = series(results, Style::Line, |server| {
        let row = results.row(&load.name, server);
        let quantiles = row.into_iter().flat_map(|row| &row.latencies);
        quantiles
            .filter(|point| point.quantile < 1.0)
            .map(|point| (point.quantile, point.seconds * 1e3))
            .collect()
    });
    let x = values(&series, |point| point.0).into_iter();
    let plot = Plot {
        title: format!("Latency, {}", load.name),
        x: Axis::nines("percent of the requests", x),
        y: log("ms at most", values(&series, |point| point.1)),
        series,
        marks: Vec::new(),
    };
    figure(plot, &load.description)
}
// ANCHOR_END: distribution

/// The slowest reply of each moment.
fn over_time(results: &Results, load: &Load) -> Option<Figure> {
    let series = series(results, Style::Points, |server| {
        let row = results.row(&load.name, server);
        let samples = row.into_iter().flat_map(|row| &row.samples);
        samples
            .filter(|sample| sample.slowest > 0.0)
            .map(|sample| (sample.at, sample.slowest * 1e3))
            .collect()
    });
    let samples = results.rows_of(&load.name).flat_map(|row| &row.samples);
    let marks: Vec<_> =
        samples.filter(|s| s.retransmits > 0).map(|s| s.at).collect();
    let mut caption =
        String::from("The slowest reply of every 50 ms, round after round. ");
    caption += match &marks[..] {
        [] => "The kernel sent nothing again.",
        _ => "The triangles: the kernel sent segments again.",
    };
    let last = values(&series, |point| point.0).into_iter();
    let last = last.chain(marks.iter().copied()).fold(0.0, f64::max);
    let plot = Plot {
        title: format!("Latency over time, {}", load.name),
        x: Axis::linear("seconds", last, PLAIN),
        y: log("ms", values(&series, |point| point.1)),
        series,
        marks,
    };
    figure(plot, &caption)
}

/// Replies a second against connections: of the closed loops if there are
/// several, or else of the loads that the article names.
fn throughput(results: &Results) -> Option<Figure> {
    let named = ["low", "medium", "high"];
    let of = |is: &dyn Fn(&str) -> bool| {
        results.loads.iter().filter(|load| is(&load.name)).collect::<Vec<_>>()
    };
    let kept = of(&|name| name.starts_with("keep-alive-"));
    let (loads, caption) = if kept.len() < 2 {
        let caption = "The users set the pace: the lines lie on one another as \
                       long as every server keeps up.";
        (of(&|name| named.contains(&name)), caption)
    } else {
        (kept, "Connections kept open, each sends again at once.")
    };
    let title = ("Throughput against connections", "replies a second");
    ladder(results, &loads, &RPS, title, caption)
}

/// A metric against the number of connections, where there are several loads.
fn ladder(
    results: &Results,
    loads: &[&Load],
    metric: &Metric,
    (title, unit): (&str, &'static str),
    caption: &str,
) -> Option<Figure> {
    let point = |load: &Load, server: &str| {
        let row = results.row(&load.name, server)?;
        Some((load.connections as f64, metric.aggregate(row)?))
    };
    let series = series(results, Style::Line, |server| {
        loads.iter().filter_map(|load| point(load, server)).collect()
    });
    let plot = Plot {
        title: title.into(),
        x: log("connections", values(&series, |point| point.0)),
        y: log(unit, values(&series, |point| point.1)),
        series,
        marks: Vec::new(),
    };
    figure(plot, caption).filter(|_| loads.len() > 1)
}

/// A bar for each server, load by load.
fn bars(
    results: &Results,
    metric: &Metric,
    title: &str,
    unit: &'static str,
) -> Option<Figure> {
    let loads: Vec<_> = results.busy_loads().collect();
    let servers = results.servers();
    let width = 0.8 / servers.len() as f64;
    let value = |(group, load): (usize, &&Load), server: &str| {
        let row: &Row = results.row(&load.name, server)?;
        let number = servers.iter().position(|&name| name == server)?;
        let offset = (number as f64 + 0.5) * width - 0.4;
        Some((group as f64 + 1.0 + offset, metric.aggregate(row)?))
    };
    let style = Style::Bars((width * 90.0) as u8);
    let series = series(results, style, |server| {
        let loads = loads.iter().enumerate();
        loads.filter_map(|load| value(load, server)).collect()
    });
    // A group around each whole number.
    let mut x = Axis::linear("load", 1.0, PLAIN);
    x.ticks = (0..=loads.len() + 1).map(|n| n as f64).collect();
    x.format = |_| String::new();
    let names: Vec<_> = loads.iter().map(|load| load.name.as_str()).collect();
    let caption = format!("From the left: {}. Medians.", names.join(", "));
    let y = Axis::linear(unit, highest(&series), PLAIN);
    let title = title.into();
    figure(Plot { title, x, y, series, marks: Vec::new() }, &caption)
}
