//! What is read of the system and of the command line.

use clap::Parser;
use nix::unistd::Pid;

use crate::cli::Options;
use crate::driver::connection::requests;
use crate::load::scenario::SCENARIOS;
use crate::runner::Plan;
use crate::setup::busy_time;
use crate::target::Target;
use crate::target::affinity::{Affinity, parse_list};
use crate::target::netstat::find_counter;
use crate::target::proc::{Process, find_value, tick};

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
fn a_process_is_read_whatever_its_name() {
    let line = "7 (a) (b) S 3 5 5 0 -1 4194304 1 1 0 0 9 9 40 60 20 0 1 0";
    let process = Process::parse(line).expect("a process");
    assert_eq!(process.pid, Pid::from_raw(7));
    assert_eq!(process.parent, Pid::from_raw(3));
    assert_eq!(process.group, Pid::from_raw(5));
    assert_eq!(process.ended_children, tick() * 100);
    assert!(Process::all().any(|process| process.pid == Pid::this()));
}

#[test]
fn values_are_found_by_their_keys() {
    let text = "VmRSSX:\t9 kB\nVmRSS:\t  2 kB\nThreads:\t3\n";
    assert_eq!(find_value(text, "VmRSS"), Some(2_048));
    assert_eq!(find_value(text, "Threads"), Some(3));
    assert_eq!(find_value(text, "VmHWM"), None);
}

#[test]
fn a_processor_is_busy_for_users_the_kernel_and_other_machines() {
    let stat = "cpu  1 2 4 1000 1000 0 0 8 0 0\ncpu0 1 2 4 1000 1000 0 0 8\n";
    assert_eq!(busy_time(stat), tick() * 15);
    assert!(busy_time("").is_zero());
}

#[test]
fn an_external_command_may_hold_an_equals_sign() {
    let target = Target::external("c=PORT={port} ./server").expect("valid");
    assert_eq!(target.name, "c");
    assert!(Target::external("server").is_err());
    assert!(Target::external("=x").is_err());
}

#[test]
fn requests_go_on_where_a_partial_write_ended() {
    assert_eq!(requests(5), b"ping\n");
    assert_eq!(requests(7), b"g\nping\n");
    // More than there is room for: a server that does not take them.
    let many = requests(320 + 8);
    assert_eq!(&many[..5], b"ng\npi");
    assert_eq!(many.len(), 320 - 2);
}

fn plan(arguments: &[&str]) -> Result<Plan, String> {
    let arguments = ["05-compare"].iter().chain(arguments);
    Options::parse_from(arguments).comparison.plan()
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
