//! Tests of parts that no command shows by itself. They belong to the library
//! (`src/lib.rs`), whose insides they see.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use nix::errno::Errno;
use protocol::Language;

use crate::latency::{Latency, micros};
use crate::report::heading;
use crate::run::Run;
use crate::stats::{Batch, Outcome, Stats};
use crate::{ErrorKind, Options};

fn options(arguments: &str) -> Options {
    Options::parse_from(format!("03-load-client {arguments}").split(' '))
}

fn run(options: &Options) -> Run<'_> {
    Run { options, start: Instant::now(), cancelled: Arc::default() }
}

#[test]
fn no_request_is_dropped_and_none_is_made_twice() {
    for (total, threads) in [(1, 1), (10, 10), (10_005, 10), (99, 7)] {
        let options = options(&format!("{total} --threads {threads}"));
        let run = run(&options);
        let mut all: Vec<u64> =
            (0..threads).flat_map(|worker| run.share(worker)).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..total), "{total} by {threads}");
    }
}

#[test]
fn every_share_lies_within_the_bounds_that_are_printed() {
    let options = options("10005");
    let heading = heading(&options, Language::English);
    assert!(heading.contains("(1000–1001 requests per thread"), "{heading}");
    for worker in 0..10 {
        let count = run(&options).share(worker).count();
        assert!((1_000..=1_001).contains(&count), "{count}");
    }
}

#[test]
fn requests_are_due_at_equal_distances() {
    let options = options("100 --rate 200");
    let run = run(&options);
    let offset = |n| run.due(n).map(|due| due - run.start);
    assert_eq!(offset(0), Some(Duration::ZERO));
    assert_eq!(offset(50), Some(Duration::from_millis(250)));
}

#[test]
fn without_a_rate_nothing_is_due() {
    assert_eq!(run(&options("1")).due(0), None);
}

/// Two threads count these latencies, every second one each.
fn stats(outcomes: &[(Duration, Option<ErrorKind>)]) -> Stats {
    let mut batches = [Batch::default(), Batch::default()];
    let sent = Instant::now();
    for (number, &(latency, error)) in outcomes.iter().enumerate() {
        let (over, late) = (sent, None);
        let is_cut = false;
        let sent = Some(sent);
        let outcome = Outcome { sent, over, latency, late, error, is_cut };
        batches[number % 2].outcomes.push(outcome);
    }
    let mut stats = Stats::new();
    batches.iter().for_each(|batch| stats.add(batch));
    stats
}

#[test]
fn percentiles_are_right_to_three_digits() {
    let all: Vec<_> =
        (1..=1_000).map(|n| (Duration::from_micros(n), None)).collect();
    let stats = stats(&all);
    let latency =
        Latency::of(&stats.latencies, micros).expect("a thousand samples");
    let near = |a: f64, b: f64| (a - b).abs() <= b / 1_000.0 + 0.1;
    assert!(near(latency.mean, 500.5), "{latency:?}");
    assert!(near(latency.p50, 500.0), "{latency:?}");
    assert!(near(latency.p99, 990.0), "{latency:?}");
    assert!(near(latency.p999, 999.0), "{latency:?}");
    assert!(near(latency.max, 1_000.0), "{latency:?}");
    assert_eq!(stats.latencies.len(), 1_000);
    assert_eq!(stats.shortest_failure, None);
}

#[test]
fn the_most_frequent_failure_comes_first() {
    let ms = Duration::from_millis;
    let stats = stats(&[
        (ms(5), Some(ErrorKind::ConnectionRefused)),
        (ms(9), Some(ErrorKind::WrongReply)),
        (ms(9), Some(ErrorKind::WrongReply)),
    ]);
    let expected =
        [(ErrorKind::WrongReply, 2), (ErrorKind::ConnectionRefused, 1)];
    assert_eq!(stats.errors(), expected);
    assert_eq!(stats.shortest_failure, Some(ms(5)));
}

#[test]
fn a_latency_beyond_all_bounds_is_still_counted() {
    assert_eq!(stats(&[(Duration::MAX, None)]).latencies.len(), 1);
}

#[test]
fn an_errno_is_the_kind_that_it_stands_for() {
    for (errno, kind) in [
        (Errno::ECONNREFUSED, ErrorKind::ConnectionRefused),
        (Errno::EADDRNOTAVAIL, ErrorKind::PortsExhausted),
        (Errno::EMFILE, ErrorKind::TooManyOpenFiles),
        (Errno::EPIPE, ErrorKind::ConnectionReset),
        (Errno::ENETUNREACH, ErrorKind::HostUnreachable),
        (Errno::EACCES, ErrorKind::Other(Errno::EACCES as i32)),
    ] {
        let error = std::io::Error::from(errno);
        assert_eq!(ErrorKind::from(error), kind);
    }
}

#[test]
fn out_of_ports_names_the_remedies() {
    let server = ([127, 0, 0, 1], 8888).into();
    let hint = ErrorKind::PortsExhausted.hint(server, Language::English);
    assert!(hint.contains("--keep-alive"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_sleep_ends_when_it_is_over() {
    // Nothing can listen there: what becomes of the request is no matter.
    let made = crate::measure(&options("1 --threads 1 --port 1"));
    assert!(made.is_ok(), "{:?}", made.err());
    assert_eq!(nix::sys::prctl::get_timerslack(), Ok(1));
}
