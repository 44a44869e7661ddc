//! Numbers: counted, put together, written, drawn.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use load_client::{ErrorKind, Latency};
use nix::unistd::Pid;

use crate::driver::recorder::Recorder;
use crate::load::scenario::SCENARIOS;
use crate::report;
use crate::report::plot::{Axis, Plot, Style};
use crate::results::latencies::{histogram, quantiles};
use crate::results::metric::{
    MEAN, MEMORY, MEMORY_EACH, P50, P99, RPS, SWITCHES, THREADS_EACH, median,
};
use crate::results::round::Round;
use crate::results::row::{Load, Results, Row};
use crate::results::units::{align, three_digits, wrap};
use crate::target::usage::Footprint;

const MS: Duration = Duration::from_millis(1);

fn recorder(load: &str) -> Recorder {
    let load = SCENARIOS.into_iter().find(|scenario| scenario.name == load);
    Recorder::new(Pid::this(), &load.expect("a load"))
}

#[test]
fn only_what_was_due_between_begin_and_end_counts() {
    let start = Instant::now();
    let mut recorder = recorder("low");
    recorder.reply(start, start + MS); // the warm-up
    recorder.begin = Some(start + 2 * MS);
    recorder.reply(start + MS, start + 3 * MS); // served, due before
    recorder.reply(start + 3 * MS, start + 4 * MS);
    recorder.end(start + 12 * MS);
    recorder.reply(start + 4 * MS, start + 1_004 * MS); // answered after
    recorder.error(start + 4 * MS, start + 9 * MS, ErrorKind::ReplyTimedOut);
    recorder.error(start + 12 * MS, start + 13 * MS, ErrorKind::UnexpectedEof);
    let stats = recorder.finish().0;
    assert!((stats.rps - 200.0).abs() < 1e-9, "{stats:?}");
    assert_eq!((stats.requests, stats.succeeded), (3, 2));
    assert_eq!(stats.failed(), 1);
    assert_eq!(stats.lower_bounds_from, Some(0.005));
    assert!(stats.latency.max >= 1.0, "{stats:?}");
    assert_eq!(stats.retransmit_counts, BTreeMap::from([(1, 1)]));
}

#[test]
fn what_waits_when_ctrl_c_comes_is_late_and_no_error() {
    let start = Instant::now();
    let mut recorder = recorder("low");
    recorder.begin = Some(start);
    recorder.reply(start, start + MS);
    recorder.end(start + 9 * MS);
    recorder.interrupt();
    recorder.error(start, start + 9 * MS, ErrorKind::ReplyTimedOut);
    let round = recorder.finish().0;
    assert_eq!((round.requests, round.failed()), (2, 0));
    assert_eq!(round.lower_bounds_from, Some(0.009));
    assert!(round.latency.max > 0.008, "{round:?}");
}

#[test]
fn a_round_without_a_reply_can_be_written_and_read() {
    let stats = recorder("low").finish().0;
    assert!(stats.is_dead());
    let json = serde_json::to_string(&stats).expect("JSON");
    assert!(serde_json::from_str::<Round>(&json).is_ok(), "{json}");
}

fn none() -> Footprint {
    Footprint::default()
}

#[test]
fn a_soak_remembers_its_memory_at_both_ends() {
    let (start, mut soak) = (Instant::now(), recorder("soak"));
    soak.begin = Some(start);
    for (minute, memory) in [(1, 9.0), (4, 2.0), (5, 3.0), (20, 8.0), (29, 5.0)]
    {
        let now = start + Duration::from_secs(60 * minute);
        let threads = 1.0;
        soak.occupied(now, Footprint { memory, threads, ..none() });
    }
    let round = soak.finish().0;
    let memory = [round.memory_early, round.memory_late, round.memory];
    assert_eq!(memory, [3.0, 5.0, 9.0]);
}

#[test]
fn what_a_connection_costs_is_shared_by_those_that_had_a_reply() {
    let each = |answered: u32| {
        let (start, mut idle) = (Instant::now(), recorder("idle-100"));
        idle.begin = Some(start);
        (0..answered).for_each(|_| idle.reply(start, start + MS));
        // So much that what this test itself occupies does not show.
        let (memory, threads) = (1e15, 1e12);
        idle.occupied(start + MS, Footprint { memory, threads, ..none() });
        let round = idle.finish().0;
        [round.memory_per_connection / 1e12, round.threads_per_connection / 1e9]
            .map(f64::round)
    };
    assert_eq!(each(10), [100.0, 100.0]);
    assert_eq!(each(500), [10.0, 10.0]);
    assert_eq!(each(0), [0.0, 0.0]);
}

#[test]
fn the_slowest_request_is_known_and_nothing_beyond() {
    let mut latencies = histogram();
    for ms in 1..=100 {
        latencies.saturating_record(ms * 1_000_000);
    }
    let points = quantiles(&latencies);
    let last = points.last().expect("points");
    assert!((last.1 - 0.1).abs() < 1e-3, "{last:?}");
    let known = points.iter().filter(|p| p.0 < 1.0);
    assert!(known.clone().all(|p| p.0 <= 0.99) && known.count() > 9);
}

#[test]
fn the_median_does_not_mind_an_outlier() {
    assert_eq!(median([3.0, 1_000.0, 1.0]), Some(3.0));
    assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median([]), None);
}

#[test]
fn a_round_without_a_reply_makes_a_row_worse() {
    let latency = Latency { p50: 0.001, ..Latency::default() };
    let alive = Round { succeeded: 9, rps: 9.0, latency, ..Round::default() };
    let dead = Round::default();
    let mut row = Row { rounds: vec![alive; 3], ..Row::default() };
    let metrics = [&P50, &RPS, &MEMORY, &MEMORY_EACH, &THREADS_EACH, &SWITCHES];
    let before = metrics.map(|metric| metric.format(&row));
    assert_eq!(before, ["1", "9", "0", "0", "0", "0"]);
    row.rounds.extend([dead.clone(), dead.clone(), dead.clone(), dead]);
    let after = metrics.map(|metric| metric.format(&row));
    assert_eq!(after, ["∞", "0", "∞", "∞", "∞", "∞"]);
    let name = "idle-100";
    let load = Load {
        name: name.into(),
        connections: 100,
        idle: true,
        ..<_>::default()
    };
    row.load = name.into();
    let mut results =
        Results { loads: vec![load], rows: vec![row], ..<_>::default() };
    assert!(!report::text(&results).contains("a connection costs"));
    results.rows[0].rounds.truncate(3);
    let text = report::text(&results);
    assert!(text.contains("costs  0 KiB and no thread"), "{text}");
}

#[test]
fn three_digits_are_shown_and_larger_numbers_whole() {
    let cases = [
        (0.123_4, "0.123"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (12_345.6, "12346"),
        (9.999, "10.0"),
        (0.0, "0"),
        (3.0, "3"),
        (f64::NAN, "-"),
        (f64::INFINITY, "∞"),
    ];
    for (value, shown) in cases {
        assert_eq!(three_digits(value), shown);
    }
}

#[test]
fn names_stand_to_the_left_and_numbers_to_the_right() {
    let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
    let lines = [cells("server", "RPS"), cells("c", "12345")];
    assert_eq!(align(&lines, 1), "server    RPS\nc       12345\n");
}

#[test]
fn a_line_is_broken_between_words() {
    assert_eq!(wrap("one two three", 9, "  "), "one two\n  three");
    assert_eq!(wrap("", 9, "  "), "");
}

fn axis(most: f64) -> Axis {
    Axis::linear("latency", &[most], |value| format!("{value:.1} s"))
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
    let values = [0.2, 0.0, 30.0, f64::INFINITY];
    let axis = Axis::log("ms", &values, |v| v.to_string());
    assert_eq!(axis.ticks, [0.1, 1.0, 10.0, 100.0]);
    assert!((axis.share(1.0) - 1.0 / 3.0).abs() < 1e-9);
    let nothing = Axis::log("ms", &[], |v| v.to_string());
    assert_eq!(nothing.ticks, [1.0, 10.0]);
}

#[test]
fn the_axis_of_nines_counts_in_percent() {
    let axis = Axis::nines("percent", &[0.5, 0.999]);
    let labels: Vec<_> =
        axis.ticks.iter().map(|&tick| (axis.format)(tick)).collect();
    assert_eq!(labels, ["0", "90", "99", "99.9"]);
}

#[test]
fn a_picture_has_a_description_in_words() {
    let points = vec![(0.0, 0.0), (1.0, 0.1), (2.0, 2.0)];
    let series = ("\"A\"".into(), points);
    let (x, y, style) = (axis(2.0), axis(2.0), Style::Bars(0.5));
    let (title, series) = ("T".into(), vec![series]);
    let plot = Plot { title, x, y, style, series };
    let words = "&quot;A&quot;: from 0.0 s to 2.0 s, half of the points \
                 not above 0.1 s.\"";
    assert!(plot.svg().contains(words), "{}", plot.svg());
}

#[test]
fn a_failed_request_makes_the_mean_a_lower_bound() {
    let latency =
        Latency { mean: 0.1, p50: 0.01, p99: 0.6, ..Latency::default() };
    let lower_bounds_from = Some(0.5);
    let round =
        Round { succeeded: 9, latency, lower_bounds_from, ..Round::default() };
    let row = Row { rounds: vec![round], ..Row::default() };
    let texts = [MEAN, P50, P99].map(|metric| metric.format(&row));
    assert_eq!(texts, ["≥100", "10", "≥600"]);
}
