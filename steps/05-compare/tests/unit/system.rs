//! What is read of the system and of the command line.

use clap::Parser;
use nix::unistd::Pid;

use crate::cli::Options;
use crate::load::scenario::SCENARIOS;
use crate::runner::Plan;
use crate::target::Target;
use crate::target::affinity::{Affinity, parse_list};
use crate::target::netstat::find_counter;
use crate::target::proc;

#[test]
fn processors_are_written_as_for_taskset() {
    assert_eq!(parse_list("0-2,5"), Ok(vec![0, 1, 2, 5]));
    for wrong in ["", "x", "3-1", "1,", "99999"] {
        assert!(parse_list(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_given_holds_and_the_rest_follows() {
    let split = |server| Affinity::split(None, Some(vec![server]));
    let ours = (0..1_024).find_map(|cpu| split(cpu).ok()).expect("one is");
    let text = ours.describe();
    let apart = text.ends_with("for the client");
    assert!(apart || text.ends_with("which share a core"), "{text}");
    assert!(split(1_000_000).is_err());
}

#[test]
fn counters_are_found_by_their_names() {
    let text = "TcpExt: A ListenOverflows ListenDrops\nTcpExt: 1 22 33\n\
                Tcp: A RetransSegs\nTcp: -1 44\n";
    let counters =
        ["ListenOverflows", "ListenDrops", "RetransSegs", "TCPTimeouts"];
    assert_eq!(counters.map(|name| find_counter(text, name)), [22, 33, 44, 0]);
}

#[test]
fn this_process_is_found_with_its_memory_and_threads() {
    let own = Pid::this();
    assert!(proc::all().any(|process| process.pid == own.as_raw()));
    let status = proc::status(own).expect("this process");
    assert!(status.rssanon > Some(0) && status.threads > 0);
}

#[test]
fn an_external_command_may_hold_an_equals_sign() {
    let target = Target::external("c=PORT={port} ./server").expect("valid");
    assert_eq!(target.name, "c");
    assert!(Target::external("server").is_err());
    assert!(Target::external("=x").is_err());
}

fn plan(arguments: &[&str]) -> Result<Plan, String> {
    let arguments = ["05-compare"].iter().chain(arguments);
    Options::parse_from(arguments).plan()
}

fn loads(arguments: &[&str]) -> Vec<&'static str> {
    let plan = plan(arguments).expect("usable");
    plan.scenarios.iter().map(|scenario| scenario.name).collect()
}

#[test]
fn the_default_loads_are_the_three_that_the_article_names() {
    assert_eq!(loads(&[]), ["low", "medium", "high"]);
}

#[test]
fn a_name_stands_for_all_that_begin_with_it() {
    let idle = ["idle-1", "idle-100", "idle-1000", "idle-10000"];
    assert_eq!(loads(&["-s", "idle"]), idle);
    assert_eq!(loads(&["-s", "all"]).len(), SCENARIOS.len() - 1);
}

#[test]
fn the_baseline_is_named_as_for_only() {
    let plan = |arguments: &[&str]| plan(arguments).expect("usable");
    assert_eq!(plan(&["--baseline", "04"]).baseline, 2);
    assert_eq!(plan(&["--only", "04,01"]).baseline, 0);
    let externals = ["--only", "none", "--external=a=x", "--external=b=y"];
    let two = plan(&externals);
    assert_eq!(two.targets.len(), 2);
}

#[test]
fn a_load_of_one_s_own_has_the_rate_that_was_asked_for() {
    let own = ["--users", "20", "--rate", "500", "--keep-alive"];
    let plan = plan(&[&own[..], &["--in-flight", "4"]].concat());
    let scenario = plan.expect("usable").scenarios[0];
    let rps = scenario.expected_rps(0.0).expect("paced");
    assert!((rps - 500.0).abs() < 1e-6, "{rps}");
    assert_eq!(scenario.in_flight, 4);
}
