//! `report.html`: one file, no script, nothing loaded from anywhere.

use pulldown_cmark::{Options, Parser, html};

use super::plots;
use super::sentences::machine;
use super::text::{escaped, list, markdown};
use crate::results::metric as m;
use crate::results::metric::Metric;
use crate::results::row::Results;

const STYLE: &str = include_str!("html.css");

/// All columns that are of use under any load.
#[rustfmt::skip] // a table
const COLUMNS: [Metric; 15] = [
    m::RPS, m::MEAN, m::P50, m::P90, m::P99, m::P999, m::MAX, m::REQUESTS,
    m::ERRORS, m::CPU_PER_REQUEST, m::CPU, m::CLIENT_CPU, m::SWITCHES,
    m::MEMORY, m::THREADS,
];

/// What the kernel counted: only a column that has something is shown.
const KERNEL_COLUMNS: [Metric; 5] =
    [m::OVERFLOWS, m::DROPS, m::TIMEOUTS, m::RETRANSMITS, m::DELAYED_ACKS];

const EXPLANATIONS: [&str; 4] = [
    "Figures are medians over the rounds; max is the worst, errors, requests \
     and the kernel's counters are sums. A percentile of fewer requests than \
     it takes is the slowest of them. A round in which a server answered \
     nothing counts as the worst there is.",
    "A comparison is the ratio to the baseline in the same round: the geometric \
     mean, and in brackets the interval in which it lies with 95 % confidence \
     (A/A: 99 %). The baseline has two turns in each round; their mean is the \
     divisor, and their ratio (A/A) says how steady the machine was. A ratio \
     marked \\* is a difference.",
    "The latency of users on a fixed schedule counts from when a request was \
     due, not from when it was sent. A failed request counts with the time \
     until it failed: figures that rest on that are marked ≥.",
    "us/req is CPU time a request, of all processes of the server. What the \
     kernel does for a connection may be charged to whatever runs at that \
     moment. switches/req is of the server's whole life, its start included. \
     ListenOverflows and its neighbours are counters of the whole network \
     namespace; where a column is missing, all were 0.",
];

/// What `--markdown` prints, in more columns, and the charts.
pub(crate) fn page(results: &Results) -> String {
    let counted = |column: &Metric| {
        let mut counts = results.rows().filter_map(|r| column.aggregate(r));
        counts.any(|count| count > 0.0)
    };
    let kernel = KERNEL_COLUMNS.into_iter().filter(counted);
    let columns: Vec<_> = COLUMNS.into_iter().chain(kernel).collect();
    let title = escaped(&results.servers().join(", "));
    let text = format!(
        "# {title}: the same load, and how they differ\n\n{}\n\n{}\n## Charts\n\n\
         <div class=\"charts\">{}</div>\n\n## How to read this\n\n{}",
        machine(&results.setup),
        markdown(results, &columns),
        plots::figures(results),
        list(EXPLANATIONS)
    );
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&text, Options::ENABLE_TABLES));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>05-compare</title>\n<style>{STYLE}</style>\n{body}</html>\n"
    )
}
