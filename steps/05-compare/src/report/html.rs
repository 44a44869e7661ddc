//! `report.html`: one file, no script, nothing loaded from anywhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::colour;
use super::{plots, sentences, table};
use crate::results::metric as m;
use crate::results::metric::Metric;
use crate::results::row::{Load, Results, Row};

const STYLE: &str = include_str!("html.css");

/// The columns of a busy load.
const COLUMNS: [Metric; 15] = [
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

/// Those of a load of idle connections.
const IDLE_COLUMNS: [Metric; 6] =
    [m::MEMORY_EACH, m::THREADS_EACH, m::MEMORY, m::THREADS, m::CPU, m::ERRORS];

/// What the kernel counted, which is mostly nothing: only a column that has
/// something is shown.
const KERNEL_COLUMNS: [Metric; 5] =
    [m::OVERFLOWS, m::DROPS, m::TIMEOUTS, m::RETRANSMITS, m::DELAYED_ACKS];

const EXPLANATIONS: [&str; 4] = [
    "Figures are medians over the rounds; max is the worst, errors, requests \
     and the kernel's counters are sums. A percentile of fewer requests than \
     it takes is the slowest of them. A round in which a server answered \
     nothing counts as the worst there is.",
    "A comparison is the ratio to the baseline in the same round: the geometric \
     mean, and in brackets the interval in which it lies with 95 % confidence. \
     The baseline has two turns in each round; their mean is the divisor, and \
     their ratio (A/A) says how steady the machine was. A ratio marked * is a \
     difference.",
    "The latency of users on a fixed schedule counts from when a request was \
     due, not from when it was sent. A failed request counts with the time \
     until it failed: figures that rest on that are marked ≥.",
    "us/req is CPU time a request, of all processes of the server. What the \
     kernel does for a connection may be charged to whatever runs at that \
     moment. ListenOverflows and its neighbours are counters of the whole \
     network namespace; where a column is missing, all were 0.",
];

/// The whole page.
// ANCHOR: page
pub(crate) fn page(results: &Results) -> String {
    let servers = results.servers().join(", ");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (servers) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (servers) ": the same load, and how they differ" }
                p.quiet {
                    "Medians of " (sentences::rounds(results)) ", "
                    (sentences::machine(&results.setup)) ", "
                    (results.setup.affinity) "."
                }
                @for (title, sentences) in sentences::sections(results) {
                    h2 { (title) }
                    ul { @for sentence in sentences { li { (sentence) } } }
                }
                @for load in &results.loads { (load_table(results, load)) }
                h2 { "Charts" }
                .charts {
                    @for figure in plots::figures(results) {
                        figure {
                            (PreEscaped(figure.svg))
                            figcaption { (figure.caption) }
                        }
                    }
                }
                (ratios(results))
                h2 { "How to read this" }
                ul { @for text in EXPLANATIONS { li { (text) } } }
            }
        }
    };
    page.into_string()
}
// ANCHOR_END: page

fn load_table(results: &Results, load: &Load) -> Markup {
    let columns: &[Metric] = if load.idle { &IDLE_COLUMNS } else { &COLUMNS };
    let rows: Vec<_> = results.rows_of(&load.name).collect();
    let counted = |column: &&Metric| {
        let any = |row: &&Row| column.aggregate(row).is_some_and(|n| n > 0.0);
        rows.iter().any(any)
    };
    let kernel = KERNEL_COLUMNS.iter().filter(counted);
    let columns: Vec<_> = columns.iter().chain(kernel).collect();
    let class = |column: &Metric, cell: &str| {
        (column.name == m::ERRORS.name && cell != "0").then_some("bad")
    };
    html! {
        h2 { (load.name) }
        p.quiet { (load.description) }
        .table { table {
            tr {
                th { "server" }
                @for column in &columns { th { (column.name) } }
            }
            @for row in &rows {
                tr {
                    td { (key(results, &row.server)) }
                    @for column in &columns {
                        @let cell = column.format(row);
                        td class=[class(column, &cell)] { (cell) }
                    }
                }
            }
        } }
    }
}

/// A server's name with the colour that it has in the charts.
fn key(results: &Results, server: &str) -> Markup {
    let number = results.servers().iter().position(|&name| name == server);
    let background = format!("background:{}", colour(number.unwrap_or(0)));
    html! { span.key style=(background) {} (server) }
}

fn ratios(results: &Results) -> Markup {
    let lines = table::ratio_rows(results);
    html! {
        h2 { "Every ratio" }
        p.quiet {
            "How many times the baseline's figure each is, and the interval, "
            "also where that is no difference."
        }
        .table { table {
            @for (number, line) in lines.iter().enumerate() {
                tr {
                    @for cell in line {
                        @if number == 0 { th { (cell) } }
                        @else { td { (cell) } }
                    }
                }
            }
        } }
    }
}
