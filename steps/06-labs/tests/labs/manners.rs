//! How the program behaves, whichever the lab.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::time::Duration;

use harness::namespace::{HIDE_PROC, changed};
use harness::{CaseError, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::prelude::*;
use predicates::str::contains;

use crate::running::{LABS, MACHINE, labs};

const NAMES: [&str; 12] = [
    "framing",
    "backlog",
    "ports",
    "nagle",
    "edge-trigger",
    "descriptors",
    "slow-reader",
    "zero-copy",
    "pool",
    "omission",
    "c10k",
    "spread",
];

#[test]
fn without_a_name_the_labs_are_listed_with_their_questions() {
    let output = labs(&[]).output().expect("it runs");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for name in NAMES {
        let line = text.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.ends_with('?')), "{text}");
    }
}

#[test]
fn in_japanese_the_optimisations_have_the_articles_names() {
    let named = contains("ports? (エフェメラルポート枯渇問題への対応)\n")
        .and(contains(" (接続プールの実装)\n"))
        .and(contains(" (イベント駆動型アーキテクチャへの移行)\n"))
        .and(contains(" (ゼロコピー最適化)\n"));
    labs(&[]).env("LC_ALL", "ja_JP.UTF-8").assert().success().stdout(named);
}

#[test]
fn a_lab_says_its_question_what_it_saw_and_an_answer() {
    let heard = contains("framing: Is one recv one message?")
        .and(contains("replies due"))
        .and(contains("04-epoll"))
        .and(contains("wrong number of replies to 3 of 3 cuts"));
    labs(&["framing"]).assert().success().stdout(heard).stderr("");
}

#[test]
fn an_unknown_lab_is_an_error_that_names_those_there_are() {
    let all = NAMES.join(", ");
    labs(&["nonsense"]).assert().code(2).stderr(contains(all)).stdout("");
    labs(&["--json"]).assert().code(2).stderr(contains("NAME"));
}

#[test]
fn help_names_the_options_and_not_what_it_runs_itself_for() {
    let help = contains("--out <DIR>").and(contains("serve").not());
    labs(&["--help"]).assert().success().stdout(help);
}

#[test]
fn a_closed_stdout_is_no_error_and_no_panic() {
    let mut child = Command::new(LABS)
        .arg("framing")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn json_is_printed_even_if_the_plot_cannot_be_written() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let command = &["omission", "--json", "--out", "/proc/nowhere"];
    let output = labs(command).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("an object");
    assert!(json["rows"].is_array() && json["error"].is_string(), "{json}");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_names_it() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let wanted = contains("[!] omission: /proc/nowhere/omission.svg");
    let command = &["omission", "--out", "/proc/nowhere"];
    labs(command).assert().code(1).stderr(wanted);
}

#[test]
fn ctrl_c_leaves_no_process_behind_not_even_a_stopped_one() {
    let mut child = Command::new(LABS)
        .arg("omission")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut lines = stdout.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("SIGSTOP")), "no such line");
    let lab = Pid::from_raw(child.id().cast_signed());
    let servers = children_of(lab);
    assert_eq!(servers.len(), 1, "{servers:?}");

    // To this process alone: a terminal would tell its children too.
    let signal = interrupt();
    kill(lab, signal).expect("it runs");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(signal as i32));
    let gone = || match servers.iter().find(|&&server| is_running(server)) {
        Some(server) => Err(CaseError::new(format!("{server} is still there"))),
        None => Ok(()),
    };
    eventually(Duration::from_secs(10), gone).expect("no server is left");
}

/// Where the system forbids user namespaces: here, because we say so in one.
#[test]
fn a_lab_that_is_forbidden_names_the_setting_and_is_no_error() {
    let forbid = ["-rm", "echo 0 > /proc/sys/user/max_user_namespaces"];
    let Some(forbidden) = changed(forbid, LABS) else { return };
    let mut forbidden = assert_cmd::Command::from_std(forbidden);
    let setting = "user.max_user_namespaces is 0, see sysctl(8)";
    // What needs no settings runs all the same.
    let noted = contains(format!("(In no network of its own: {setting})"))
        .and(contains("replies due"));
    forbidden.arg("framing").assert().success().stdout(noted);

    let Some(forbidden) = changed(forbid, LABS) else { return };
    let mut forbidden = assert_cmd::Command::from_std(forbidden);
    let skipped = format!("This system does not allow it: {setting}\n");
    forbidden.arg("ports").assert().success().stdout(contains(skipped));
}

#[test]
fn without_proc_a_lab_says_what_it_needs() {
    let Some(hidden) = changed(HIDE_PROC, LABS) else { return };
    let mut hidden = assert_cmd::Command::from_std(hidden);
    let needs = contains("[!] framing: needs /proc, to start, measure and end");
    hidden.arg("framing").assert().code(1).stderr(needs);
}

/// What Ctrl-C sends. A test in a shell's background was told to ignore that,
/// and so was whatever it starts.
fn interrupt() -> Signal {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    let bit = 1 << (Signal::SIGINT as u64 - 1);
    let is_ignored = mask.is_some_and(|mask| mask & bit != 0);
    if is_ignored { Signal::SIGTERM } else { Signal::SIGINT }
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("/proc");
    let pids = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.map(Pid::from_raw)
        .filter(|&pid| stat(pid).is_some_and(|(_, of)| of == parent))
        .collect()
}

/// A zombie waits for its new parent, and runs no more.
fn is_running(pid: Pid) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// State and parent. `man 5 proc`, `/proc/PID/stat`.
fn stat(pid: Pid) -> Option<(String, Pid)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    let state = words.next()?.to_owned();
    Some((state, Pid::from_raw(words.next()?.parse().ok()?)))
}
