//! What a reader gets from `05-compare`, held against short runs.

#![expect(clippy::expect_used, reason = "a test that cannot begin has failed")]

mod servers;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::prelude::*;
use predicates::str::contains;

/// A run that would hang is ended, and fails.
const DEADLINE: Duration = Duration::from_secs(300);
/// On a machine that is busy otherwise a reply may take its time.
const PATIENT: [&str; 2] = ["--timeout", "60"];
/// One round of a tenth of a second.
const SHORT: [&str; 4] = ["--rounds", "1", "--duration", "0.1"];

fn compare(arguments: &[&str]) -> Assert {
    let program = env!("CARGO_BIN_EXE_05-compare");
    let mut command = assert_cmd::Command::new(program);
    command.args(arguments).timeout(DEADLINE).assert()
}

/// 04 in a short run, next to one of the servers below.
fn compare_with(server: &str, arguments: &[&str]) -> Assert {
    let program = std::env::current_exe().expect("this test");
    let program = program.display();
    let external = format!(
        "--external={server}='{program}' --ignored --exact servers::{server}"
    );
    let only = ["--only", "04", &external];
    compare(&[&SHORT[..], &only, arguments].concat())
}

/// The rows of the table, each as its words.
fn rows(assert: &Assert) -> Vec<Vec<String>> {
    rows_of(&assert.get_output().stdout)
}

fn rows_of(output: &[u8]) -> Vec<Vec<String>> {
    let output = String::from_utf8_lossy(output);
    let lines = output.lines().skip(1).take_while(|line| !line.is_empty());
    let words = |line: &str| line.split_whitespace().map(Into::into).collect();
    lines.map(words).collect()
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Counted from the end, since not every row names its load.
fn errors(row: &[String]) -> &str {
    &row[row.len() - 5]
}

#[test]
fn prints_a_row_for_every_server_and_load_without_an_error() {
    let run = ["--rounds", "1", "--duration", "0.3"];
    let assert = compare(&[&run[..], &PATIENT].concat());
    let assert = assert.success().stderr("");
    let rows = rows(&assert);
    assert_eq!(rows.len(), 9);
    for (block, load) in rows.chunks(3).zip(["low", "medium", "high"]) {
        assert_eq!(block[0][..2], [load, "01-blocking"]);
        assert_eq!(block[1][0], "02-threads");
        assert_eq!(block[2][0], "04-epoll");
        assert!(block.iter().all(|row| errors(row) == "0"), "{block:?}");
    }
}

#[test]
fn every_kind_of_load_runs_without_an_error() {
    let loads = "ping-user,constant-user,burst,churn,keep-alive-10,\
                 pipelined-1,idle-100";
    let arguments = ["--only", "02,04", "--scenario", loads];
    let assert = compare(&[&SHORT[..], &arguments, &PATIENT].concat());
    let rows = rows(&assert.success().stderr(""));
    assert_eq!(rows.len(), 7 * 2);
    assert!(rows.iter().all(|row| errors(row) == "0"), "{rows:?}");
}

#[test]
fn a_server_of_one_client_at_a_time_is_not_asked_for_more() {
    let load = ["--scenario", "keep-alive-10", "--only", "01-blocking"];
    compare(&load).success().stdout(contains("one client at a time"));
}

#[test]
fn a_server_that_never_comes_is_a_note_and_the_rest_goes_on() {
    let gone = ["-s", "low", "--only", "04", "--external", "gone=false"];
    compare(&[&SHORT[..], &gone].concat())
        .code(1)
        .stdout(contains("low, gone: the server ended: exit status 1"))
        .stdout(contains("04-epoll"))
        .stderr(contains("see the notes"));
}

#[test]
fn what_an_external_server_has_started_ends_with_it() {
    let folder = folder("family");
    let script = "sleep 600 & echo $! > $1; exit 1";
    fs::write(folder.join("script"), script).expect("a script");
    let (script, pid) = (folder.join("script"), folder.join("pid"));
    let external = format!(
        "--external=parent=sh '{}' '{}'",
        script.display(),
        pid.display()
    );
    compare(&[&SHORT[..], &["-s", "low", "--only", "04", &external]].concat())
        .code(1);
    let pid = fs::read_to_string(pid).expect("the child's pid");
    let pid = Pid::from_raw(pid.trim().parse().expect("a number"));
    assert!(ends(pid), "{pid} is still there");
}

/// Whether it ends in time. Dead is enough: whoever adopted it may not have
/// waited for it yet.
fn ends(pid: Pid) -> bool {
    let deadline = Instant::now() + DEADLINE;
    let is_gone = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status"));
        status.map_or(true, |status| status.contains("State:\tZ"))
    };
    while !is_gone() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    is_gone()
}

#[test]
fn a_server_that_dies_in_mid_run_is_a_note() {
    compare_with("dying", &["-s", "medium"]).code(1).stdout(
        contains("medium, dying: the server ended: exit status 3")
            .and(contains("04-epoll")),
    );
}

#[test]
fn a_wrong_reply_is_counted_as_that() {
    compare_with("echo", &["-s", "medium"])
        .code(1)
        .stdout(contains("medium, echo: ").and(contains("wrong reply")));
}

#[test]
fn a_user_whose_connection_ends_asks_once_again_and_not_twice() {
    compare_with("parting", &["-s", "keep-alive-1"])
        .code(1)
        .stdout(contains("closed before the reply"))
        .stdout(contains("the server ended").not());
}

#[test]
fn a_server_that_never_answers_is_counted_as_that() {
    compare_with("mute", &["-s", "keep-alive-10", "--timeout", "0.2"])
        .code(1)
        .stdout(contains("no reply in time"));
}

#[test]
fn ctrl_c_prints_what_was_measured_so_far_and_leaves_nothing_behind() {
    // A server that ends at once, twice, and then never listens. When it has
    // come for the third time, 04 was measured at least twice.
    let folder = folder("ctrl-c");
    let starts = folder.join("starts");
    let script = "echo $$ >> $1; [ $(wc -l < $1) -lt 3 ] || exec sleep 600";
    fs::write(folder.join("script"), script).expect("a script");
    let script = folder.join("script").display().to_string();
    let external =
        format!("--external=third=sh '{script}' '{}'", starts.display());
    let run = Command::new(env!("CARGO_BIN_EXE_05-compare"))
        .args(["--rounds", "9", "--duration", "0.1", "-s", "high"])
        .args(["--only", "04", &external])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let pids = third_start(&starts);

    kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGINT).expect("sent");
    let output = run.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("9 rounds, interrupted before the end"), "{text}");
    let row = &rows_of(&output.stdout)[0];
    assert_eq!(row[..2], ["high", "04-epoll"]);
    assert_ne!(row[2], "-", "measured so far: {row:?}");
    for pid in pids {
        assert!(ends(pid), "{pid} is still there");
    }
}

/// Waits until there are three lines in `starts`, and returns their pids.
fn third_start(starts: &Path) -> Vec<Pid> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let text = fs::read_to_string(starts).unwrap_or_default();
        if text.lines().count() == 3 && text.ends_with('\n') {
            let pids = text.lines().map(|line| line.parse().expect("a pid"));
            return pids.map(Pid::from_raw).collect();
        }
        assert!(Instant::now() < deadline, "the third start never came");
        std::thread::yield_now();
    }
}

#[test]
fn writes_a_page_and_results_that_can_be_compared() {
    let folder = folder("out");
    let out = folder.display().to_string();
    let loads = "medium,keep-alive-10,idle-1,idle-100";
    let run = ["--rounds", "2", "--duration", "0.1", "-s", loads, "--out"];
    let only = [&out, "--only", "02,04", "--ratios"];
    compare(&[&run[..], &only, &PATIENT].concat())
        .success()
        .stdout(contains("over 02-threads").and(contains("itself (A/A)")));

    let page = fs::read_to_string(folder.join("report.html")).expect("a page");
    for part in [
        "How the servers differ",
        "02-threads against itself (A/A)",
        "a connection costs 02-threads",
        "Threads with idle clients",
        "</html>",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    let loaded = ["<script", "src=", "@import", "url("];
    assert!(loaded.iter().all(|outside| !page.contains(outside)));
    let stats = fs::read_to_string(folder.join("stats.csv")).expect("a CSV");
    assert_eq!(stats.lines().count(), 1 + 4 * 2);

    let results = folder.join("results.json").display().to_string();
    let same = compare(&["diff", &results, &results]).success();
    let rows = rows(&same);
    let row = rows.iter().find(|row| row.starts_with(&["medium".into()]));
    let row = row.expect("a row for medium").join(" ");
    assert!(row.contains("1.00 [") && row.ends_with('='), "{row}");
}

#[test]
fn a_file_that_holds_no_results_ends_with_status_1() {
    let file = folder("bad").join("bad.json");
    fs::write(&file, "{}").expect("written");
    let file = file.display().to_string();
    compare(&["diff", &file, &file]).code(1).stderr(contains("bad.json: "));
    compare(&["diff", "gone", "gone"]).code(1).stderr(contains("gone: "));
}

#[test]
fn arguments_that_cannot_be_used_end_with_status_2() {
    for (arguments, reason) in [
        (&["--rounds", "0"][..], "0 is not in 1..=1000"),
        (&["--duration", "soon"], "give seconds"),
        (&["--scenario", "huge"], "possible values"),
        (&["--only", "03"], "possible values"),
        (&["--external", "nameless"], "give a name and a command"),
        (&["--external", "04-epoll=x"], "two servers have the name 04-epoll"),
        (&["surplus"], "unrecognized subcommand"),
    ] {
        compare(arguments).code(2).stderr(contains(reason));
    }
}

#[test]
fn the_hidden_commands_are_not_in_the_help() {
    compare(&["--help"]).success().stdout(contains("serve-").not());
}
