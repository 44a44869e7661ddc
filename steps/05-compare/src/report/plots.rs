//! The charts of a report: which figures stand in which.

use super::plot::{Axis, Format, Plot, Style, values};
use crate::results::metric::{CPU_PER_REQUEST, MEMORY, Metric, RPS, THREADS};
use crate::results::row::{Load, Results};
use crate::results::units::three_digits;

/// All charts that the results have something for, as HTML within Markdown,
/// where it ends at an empty line: the captions are Markdown again.
pub(crate) fn figures(results: &Results) -> String {
    let of = |is: fn(&Load) -> bool| -> Vec<&Load> {
        results.loads.iter().filter(|load| is(load)).collect()
    };
    let mut figures = vec![
        bars(results, &CPU_PER_REQUEST, "CPU time a request", "µs"),
        bars(results, &MEMORY, "Peak memory", "MiB"),
    ];
    let kept = of(|load| load.name.starts_with("keep-alive-"));
    let texts = (
        "Throughput against connections",
        "Connections kept open, each sends again at once.",
    );
    figures.push(ladder(results, &kept, &RPS, texts, "replies a second"));
    let busy = results.busy_loads();
    figures.extend(busy.map(|load| distribution(results, load)));
    let idle = of(|load| load.idle);
    for (metric, title, unit) in [
        (&MEMORY, "Memory with idle clients", "MiB"),
        (&THREADS, "Threads with idle clients", "threads"),
    ] {
        let caption = "Connected, answered once, and silent since.";
        figures.push(ladder(results, &idle, metric, (title, caption), unit));
    }
    figures.into_iter().flatten().collect()
}

const PLAIN: Format = |value| three_digits((value * 1e6).round() / 1e6);

/// A series for each server, and the caption; none where there is no point.
fn chart(
    results: &Results,
    (title, caption): (&str, &str),
    style: Style,
    axes: impl Fn(&[f64], &[f64]) -> [Axis; 2],
    points: impl Fn(&str) -> Vec<(f64, f64)>,
) -> Option<String> {
    let series = results.servers().into_iter().map(|name| {
        let mut points = points(name);
        points.retain(|(x, y)| x.is_finite() && y.is_finite());
        (name.into(), points)
    });
    let series: Vec<_> = series.collect();
    let (all_x, all_y) = (values(&series, |p| p.0), values(&series, |p| p.1));
    let [x, y] = axes(&all_x, &all_y);
    let plot = Plot { title: title.into(), x, y, style, series };
    (!all_x.is_empty())
        .then(|| format!("<figure>{}\n\n{caption}\n\n</figure>", plot.svg()))
}

/// How much of the requests stay under which latency.
fn distribution(results: &Results, load: &Load) -> Option<String> {
    let title = format!("Latency, {}", load.name);
    let axes = |x: &[f64], y: &[f64]| {
        let x = Axis::nines("percent of the requests", x);
        [x, Axis::log("ms at most", y, PLAIN)]
    };
    let texts = (&*title, &*load.description);
    chart(results, texts, Style::Line, axes, |server| {
        let row = results.row(&load.name, server);
        let latencies = row.into_iter().flat_map(|row| &row.latencies);
        let known = latencies.filter(|(quantile, _)| *quantile < 1.0);
        known.map(|&(quantile, s)| (quantile, s * 1e3)).collect()
    })
}

/// A metric against the number of connections, where there are several loads.
fn ladder(
    results: &Results,
    loads: &[&Load],
    metric: &Metric,
    texts: (&str, &str),
    unit: &'static str,
) -> Option<String> {
    let axes = |x: &[f64], y: &[f64]| {
        [Axis::log("connections", x, PLAIN), Axis::log(unit, y, PLAIN)]
    };
    let figure = chart(results, texts, Style::Line, axes, |server| {
        let point = |load: &&Load| {
            let row = results.row(&load.name, server)?;
            Some((load.connections as f64, metric.aggregate(row)?))
        };
        loads.iter().filter_map(point).collect()
    });
    figure.filter(|_| loads.len() > 1)
}

/// A bar for each server, in a group for each load.
fn bars(
    results: &Results,
    metric: &Metric,
    title: &str,
    unit: &'static str,
) -> Option<String> {
    let loads: Vec<_> = results.busy_loads().collect();
    let names: Vec<_> = loads.iter().map(|load| load.name.as_str()).collect();
    let caption = format!("From the left: {}. Medians.", names.join(", "));
    let servers = results.servers();
    let width = 0.8 / servers.len() as f64;
    let axes = |_: &[f64], y: &[f64]| {
        // A group around each whole number.
        let mut x = Axis::linear("load", &[1.0], |_| String::new());
        x.ticks = (0..=loads.len() + 1).map(|n| n as f64).collect();
        [x, Axis::linear(unit, y, PLAIN)]
    };
    let (texts, style) = ((title, &*caption), Style::Bars(width * 0.9));
    chart(results, texts, style, axes, |server| {
        let number = servers.iter().position(|&name| name == server);
        let offset = (number.unwrap_or(0) as f64 + 0.5) * width - 0.4;
        let bar = |(group, load): (usize, &&Load)| {
            let row = results.row(&load.name, server)?;
            Some((group as f64 + 1.0 + offset, metric.aggregate(row)?))
        };
        loads.iter().enumerate().filter_map(bar).collect()
    })
}
