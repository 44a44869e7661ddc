//! The command line that the servers share.

use std::time::Duration;

use clap::Parser;
use protocol::{LimitOptions, ListenOptions, seconds};

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

fn parse(args: &[&str]) -> Result<Options, String> {
    Options::try_parse_from([&["server"], args].concat())
        .map_err(|error| error.to_string())
}

fn address(args: &[&str]) -> String {
    match parse(args) {
        Ok(options) => options.listen.address().to_string(),
        Err(error) => error,
    }
}

#[test]
fn the_defaults_are_those_of_the_book() {
    let Options { listen, limits } = parse(&[]).expect("no arguments");
    assert_eq!(listen.address().to_string(), "127.0.0.1:8888");
    assert_eq!(listen.backlog, 4_096);
    assert!(!listen.quiet);
    assert!(limits.max_connections.is_none() && limits.idle_timeout.is_none());
}

#[test]
fn a_host_is_an_address_and_a_link_local_one_has_its_interface() {
    assert_eq!(address(&["--host", "0.0.0.0", "-p", "9"]), "0.0.0.0:9");
    assert_eq!(address(&["--host", "::1", "-p", "9"]), "[::1]:9");
    assert_eq!(address(&["--host", "fe80::1%7", "-p", "9"]), "[fe80::1%7]:9");
    if cfg!(target_os = "linux") {
        // The loopback interface is the first.
        let scoped = address(&["--host", "fe80::1%lo", "-p", "9"]);
        assert_eq!(scoped, "[fe80::1%1]:9");
    }
}

#[test]
fn what_is_no_address_is_refused_with_an_example() {
    for host in ["localhost", "[::1]", "127.1", "", "fe80::1%nope", "1.2.3.4%1"]
    {
        let refused = address(&["--host", host]);
        assert!(refused.contains("such as 127.0.0.1"), "{host}: {refused}");
    }
}

#[test]
fn limits_are_numbers_above_0() {
    let limits = |args: &[&str]| parse(args).map(|options| options.limits);
    let both = ["--max-connections", "3", "--idle-timeout", "0.5"];
    let both = limits(&both).expect("both limits");
    assert_eq!(both.max_connections, Some(3));
    assert_eq!(both.idle_timeout, Some(Duration::from_millis(500)));
    for bad in ["0", "-1", "x"] {
        assert!(limits(&["--max-connections", bad]).is_err(), "{bad}");
        assert!(limits(&["--idle-timeout", bad]).is_err(), "{bad}");
    }
    assert!(parse(&["--backlog", "-1"]).is_err());
    assert!(parse(&["--backlog", "0"]).is_ok());
}

#[test]
fn seconds_lie_between_a_millisecond_and_30_years() {
    assert_eq!(seconds("30"), Ok(Duration::from_secs(30)));
    assert_eq!(seconds("0.001"), Ok(Duration::from_millis(1)));
    assert_eq!(seconds("1e9"), Ok(Duration::from_secs(1_000_000_000)));
    for bad in ["0.0009", "1.1e9", "nan", "inf", "1 s"] {
        assert!(seconds(bad).is_err(), "{bad}");
    }
}
