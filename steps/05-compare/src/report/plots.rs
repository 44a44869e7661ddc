//! The charts of a report: which figures stand in which.

use super::chart::{Bars, Chart, Series};
use super::scale::Scale;
use crate::measures::{CPU_PER_REQUEST, MEMORY, Measure, RPS, THREADS};
use crate::results::{Load, Results, Row};

/// A chart with its title and what there is to say about it.
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) caption: String,
    pub(crate) svg: String,
}

/// All charts that the results have something for.
pub(crate) fn figures(results: &Results) -> Vec<Figure> {
    let busy = || results.loads.iter().filter(|load| !load.idle);
    let mut figures: Vec<_> = [
        bars(results, &CPU_PER_REQUEST, "CPU time a request", "µs"),
        bars(results, &MEMORY, "Peak memory", "MiB"),
        throughput(results),
    ]
    .into_iter()
    .flatten()
    .collect();
    figures.extend(busy().filter_map(|load| distribution(results, load)));
    figures.extend(busy().filter_map(|load| over_time(results, load)));
    figures.extend(ladder(results, &MEMORY, "Memory with idle clients", "MiB"));
    figures.extend(ladder(
        results,
        &THREADS,
        "Threads with idle clients",
        "threads",
    ));
    figures
}

/// A series for each server; what `points` has nothing for is left out.
fn series(
    results: &Results,
    points: impl Fn(&str) -> Vec<(f64, f64)>,
) -> Vec<Series> {
    let servers = results.servers().into_iter().enumerate();
    let series = servers.map(|(colour, name)| Series {
        name: name.into(),
        colour,
        points: points(name),
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

fn figure(chart: Chart, caption: impl Into<String>) -> Option<Figure> {
    let Chart { title, series, .. } = &chart;
    (!series.is_empty()).then(|| Figure {
        title: title.clone(),
        caption: caption.into(),
        svg: chart.svg(),
    })
}

/// How much of the requests stay under which latency.
// ANCHOR: distribution
fn distribution(results: &Results, load: &Load) -> Option<Figure> {
    let points = |server: &str| {
        let row = results.row(&load.name, server);
        let quantiles = row.into_iter().flat_map(|row| &row.latencies);
        quantiles
            .filter(|point| point.quantile < 1.0)
            .map(|point| (point.quantile, point.seconds * 1e3))
            .collect()
    };
    let chart = Chart {
        title: format!("Latency, {}", load.name),
        x: ("percent of the requests", Scale::Nines),
        y: ("ms at most", Scale::Log),
        series: series(results, points),
        scattered: false,
        stamps: Vec::new(),
    };
    figure(chart, &load.description)
}
// ANCHOR_END: distribution

/// The slowest reply of each moment.
fn over_time(results: &Results, load: &Load) -> Option<Figure> {
    let points = |server: &str| {
        let row = results.row(&load.name, server);
        let moments = row.into_iter().flat_map(|row| &row.timeline);
        moments
            .filter(|moment| moment.slowest > 0.0)
            .map(|moment| (moment.at, moment.slowest * 1e3))
            .collect()
    };
    let moments = results.rows_of(&load.name).flat_map(|row| &row.timeline);
    let stamps: Vec<_> = moments
        .filter(|moment| moment.resent > 0)
        .map(|moment| moment.at)
        .collect();
    let caption = if stamps.is_empty() {
        "The slowest reply of every 50 ms, round after round. The kernel sent \
         nothing again."
    } else {
        "The slowest reply of every 50 ms, round after round. The triangles: \
         the kernel sent segments again."
    };
    let chart = Chart {
        title: format!("Latency over time, {}", load.name),
        x: ("seconds", Scale::Linear),
        y: ("ms", Scale::Log),
        series: series(results, points),
        scattered: true,
        stamps,
    };
    figure(chart, caption)
}

/// Replies a second against connections: of the closed loops if there are
/// several, or else of the loads that the article names.
fn throughput(results: &Results) -> Option<Figure> {
    let kept = |load: &&Load| load.name.starts_with("keep-alive-");
    let named =
        |load: &&Load| ["low", "medium", "high"].contains(&load.name.as_str());
    let (mut loads, mut caption): (Vec<_>, _) = (
        results.loads.iter().filter(kept).collect(),
        "Connections kept open, each asks again at once.",
    );
    if loads.len() < 2 {
        loads = results.loads.iter().filter(named).collect();
        caption = "The users set the pace: the lines lie on one another as \
                   long as every server keeps up.";
    }
    if loads.len() < 2 {
        return None;
    }
    let points = |server: &str| of_loads(results, &loads, server, &RPS);
    let chart = Chart {
        title: "Throughput against connections".into(),
        x: ("connections", Scale::Log),
        y: ("replies a second", Scale::Log),
        series: series(results, points),
        scattered: false,
        stamps: Vec::new(),
    };
    figure(chart, caption)
}

/// What connections cost that do nothing.
fn ladder(
    results: &Results,
    measure: &Measure,
    title: &str,
    unit: &'static str,
) -> Option<Figure> {
    let loads: Vec<_> = results.loads.iter().filter(|load| load.idle).collect();
    if loads.len() < 2 {
        return None;
    }
    let points = |server: &str| of_loads(results, &loads, server, measure);
    let chart = Chart {
        title: title.into(),
        x: ("connections", Scale::Log),
        y: (unit, Scale::Log),
        series: series(results, points),
        scattered: false,
        stamps: Vec::new(),
    };
    figure(chart, "Connected, answered once, and silent since.")
}

fn of_loads(
    results: &Results,
    loads: &[&Load],
    server: &str,
    measure: &Measure,
) -> Vec<(f64, f64)> {
    let point = |load: &&Load| {
        let row = results.row(&load.name, server)?;
        Some((load.connections as f64, measure.over(row)?))
    };
    loads.iter().filter_map(point).collect()
}

/// A bar for each server, load by load.
fn bars(
    results: &Results,
    measure: &Measure,
    title: &str,
    unit: &'static str,
) -> Option<Figure> {
    let servers = results.servers();
    let value = |row: &Row| {
        let colour = servers.iter().position(|&name| name == row.server)?;
        Some((colour, measure.over(row).filter(|value| value.is_finite())?))
    };
    let group = |load: &Load| {
        let bars: Vec<_> =
            results.rows_of(&load.name).filter_map(value).collect();
        (load.name.clone(), bars)
    };
    let groups: Vec<_> = results
        .loads
        .iter()
        .filter(|load| !load.idle)
        .map(group)
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let bars = Bars { title: title.into(), y: unit, groups };
    (!bars.groups.is_empty()).then(|| Figure {
        title: title.into(),
        caption: "Medians of the rounds.".into(),
        svg: bars.svg(),
    })
}
