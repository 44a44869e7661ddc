//! `report.html`: one file, no script, nothing loaded from anywhere.

use super::chart::css_colour;
use super::{plots, ratios, rounds, verdict};
use crate::measures as m;
use crate::measures::Measure;
use crate::results::{Load, Results, Row};

const STYLE: &str = include_str!("page.css");

/// All columns of a busy load.
const COLUMNS: [Measure; 15] = [
    m::RPS,
    m::MEAN,
    m::P50,
    m::P90,
    m::P99,
    m::P999,
    m::MAX,
    m::REQUESTS,
    m::ERRORS,
    m::CPU_PER_REQUEST,
    m::CPU,
    m::CLIENT_CPU,
    m::SWITCHES,
    m::MEMORY,
    m::THREADS,
];

/// What the kernel counted around a row.
const KERNEL_COLUMNS: [Measure; 5] =
    [m::OVERFLOWS, m::DROPS, m::TIMEOUTS, m::RESENT, m::DELAYED];

/// Those of a load of idle connections.
const IDLE_COLUMNS: [Measure; 6] =
    [m::MEMORY_EACH, m::THREADS_EACH, m::MEMORY, m::THREADS, m::CPU, m::ERRORS];

/// The whole page.
// ANCHOR: page
pub(crate) fn page(results: &Results) -> String {
    let servers = escaped(&results.servers().join(", "));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{servers}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{servers}: the same load, and how they differ</h1>\n\
         <p class=\"quiet\">Medians of {}, {}.</p>\n{}{}{}{}{}{}</body>\n</html>\n",
        rounds(results),
        escaped(&results.machine),
        verdicts(results),
        tables(results),
        kernel(results),
        charts(results),
        all_ratios(results),
        explanations(results),
    )
}
// ANCHOR_END: page

fn verdicts(results: &Results) -> String {
    let item = |text: &String| format!("<li>{}</li>\n", escaped(text));
    let section = |(title, said): &(&str, Vec<String>)| {
        let items: String = said.iter().map(item).collect();
        format!("<h2>{title}</h2>\n<ul>\n{items}</ul>\n")
    };
    verdict::sections(results).iter().map(section).collect()
}

fn tables(results: &Results) -> String {
    let of_load = |load: &Load| {
        let columns: &[Measure] =
            if load.idle { &IDLE_COLUMNS } else { &COLUMNS };
        let rows: Vec<_> = results.rows_of(&load.name).collect();
        section(&load.name, &load.description, || {
            let first = |row: &Row| key(results, &row.server);
            table("server", columns, &rows, first)
        })
    };
    results.loads.iter().map(of_load).collect()
}

fn kernel(results: &Results) -> String {
    let counted = |row: &&Row| {
        let any = |column: &Measure| column.over(row).is_some_and(|n| n > 0.0);
        !row.again && KERNEL_COLUMNS.iter().any(any)
    };
    let all: Vec<_> = results.rows.iter().filter(counted).collect();
    let title = "What the kernel counted";
    if all.is_empty() {
        return section(
            title,
            "Nothing: no stall, no retransmit.",
            String::new,
        );
    }
    let about = "Counters of the whole network namespace, all rounds \
                 together. Where a row is missing, all were 0.";
    section(title, about, || {
        let first = |row: &Row| {
            let load = escaped(&row.load);
            format!("{} {load}", key(results, &row.server))
        };
        table("server and load", &KERNEL_COLUMNS, &all, first)
    })
}

fn section(
    title: &str,
    about: &str,
    content: impl FnOnce() -> String,
) -> String {
    let (title, about) = (escaped(title), escaped(about));
    let content = content();
    format!("<h2>{title}</h2>\n<p class=\"quiet\">{about}</p>\n{content}")
}

fn table(
    first_title: &str,
    columns: &[Measure],
    rows: &[&Row],
    first: impl Fn(&Row) -> String,
) -> String {
    let titles = columns.iter().map(|column| column.name);
    let titles: String =
        titles.map(|title| format!("<th>{title}</th>")).collect();
    let rows = rows.iter().map(|row| table_row(&first(row), row, columns));
    let rows: String = rows.collect();
    format!(
        "<div class=\"table\"><table>\n\
         <tr><th>{first_title}</th>{titles}</tr>\n{rows}</table></div>\n"
    )
}

fn table_row(first: &str, row: &Row, columns: &[Measure]) -> String {
    let cells = columns.iter().map(|column| {
        let cell = column.show(row);
        let bad = column.name == m::ERRORS.name && cell != "0";
        let class = if bad { " class=\"bad\"" } else { "" };
        format!("<td{class}>{cell}</td>")
    });
    let cells: String = cells.collect();
    format!("<tr><td>{first}</td>{cells}</tr>\n")
}

/// A server's name with the colour that it has in the charts.
fn key(results: &Results, server: &str) -> String {
    let number = results.servers().iter().position(|&name| name == server);
    let colour = css_colour(number.unwrap_or(0));
    let name = escaped(server);
    format!("<span class=\"key\" style=\"background:{colour}\"></span>{name}")
}

fn charts(results: &Results) -> String {
    let servers = results.servers();
    let keys = servers
        .iter()
        .map(|server| format!("<span>{}</span>", key(results, server)));
    let keys: String = keys.collect();
    let figures = plots::figures(results);
    let figures = figures.iter().map(|figure| {
        format!(
            "<figure><h3>{}</h3>\n{}<figcaption>{}</figcaption></figure>\n",
            escaped(&figure.title),
            figure.svg,
            escaped(&figure.caption)
        )
    });
    let figures: String = figures.collect();
    format!(
        "<h2>Charts</h2>\n<div class=\"keys\">{keys}</div>\n\
         <div class=\"charts\">\n{figures}</div>\n"
    )
}

fn all_ratios(results: &Results) -> String {
    let row = |tag: &str, cells: &[String]| {
        let cells = cells.iter().map(|cell| escaped(cell));
        let cells: String =
            cells.map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let lines = ratios::lines(results);
    let rows: String = lines.iter().map(|line| row("td", line)).collect();
    let about = "How many times the baseline's figure each is, and the \
                 interval, also where that is no difference.";
    section("Every ratio", about, || {
        let titles = row("th", &ratios::titles(results));
        format!("<div class=\"table\"><table>\n{titles}{rows}</table></div>\n")
    })
}

fn explanations(results: &Results) -> String {
    let baseline = escaped(&results.baseline);
    format!(
        "<h2>How to read this</h2>\n<ul>\n\
         <li>Figures are medians over the rounds; max is the worst, errors, \
         requests and the kernel's counters are sums. A percentile of fewer \
         requests than it takes is the slowest of them.</li>\n\
         <li>A comparison is the ratio to {baseline} in the same round: the \
         geometric mean, and in brackets the interval in which it lies with \
         95 % confidence. It counts as a difference where that interval \
         keeps 2 % away from 1 and does not meet the interval of {baseline} \
         against itself, measured in the same rounds (A/A).</li>\n\
         <li>The latency of users on a fixed schedule counts from when a \
         request was due, not from when it was sent.</li>\n\
         <li>CPU time is that of the server's process: what the kernel does \
         for a connection may be charged to whoever runs at that moment. \
         ListenOverflows and its neighbours are counters of the whole \
         network namespace.</li>\n</ul>\n"
    )
}

/// `text` as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
