//! What a reader gets from `05-compare`, held against short runs.

#![expect(clippy::expect_used, reason = "a test that cannot begin has failed")]

mod servers;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use harness::namespace::{HIDE_PROC, THREE_PORTS, changed};
use harness::poll_until;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
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
/// One round of a second.
const LONGER: [&str; 4] = ["--rounds", "1", "--duration", "1"];

fn compare(arguments: &[&str]) -> Assert {
    let program = env!("CARGO_BIN_EXE_05-compare");
    let mut command = assert_cmd::Command::new(program);
    command.args(arguments).timeout(DEADLINE).assert()
}

/// 04 in a short run, next to one of the servers below.
fn compare_with(server: &str, arguments: &[&str]) -> Assert {
    compare_for(&SHORT, server, arguments)
}

/// The same for as long as `run` says.
fn compare_for(run: &[&str], server: &str, arguments: &[&str]) -> Assert {
    let program = std::env::current_exe().expect("this test");
    let (program, test) = (program.display(), server.replace('-', "_"));
    let external = format!(
        "--external={server}='{program}' --ignored --exact servers::{test}"
    );
    let only = ["--only", "04", &external];
    compare(&[run, &only, arguments].concat())
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

/// Where p99 stands: counted from the end, since not every row names its load.
fn row_p99(row: &[String]) -> usize {
    row.len() - 7
}

/// Counted from the end, too.
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

/// Whether it ends in time. Dead is enough: its new parent may not have waited
/// for it yet.
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
        .stdout(contains("medium, echo: ").and(contains("reply is not pong")));
}

#[test]
fn a_user_whose_connection_ends_sends_once_again_and_not_twice() {
    compare_with("parting", &["-s", "keep-alive-1"])
        .code(1)
        .stdout(contains("closed without a reply"))
        .stdout(contains("the server ended").not());
}

#[test]
fn a_server_that_never_answers_is_counted_as_that() {
    compare_with("mute", &["-s", "keep-alive-10", "--timeout", "0.2"])
        .code(1)
        .stdout(contains("no reply in time"));
}

/// The rounds of `server` in the JSON that was printed.
fn rounds(assert: &Assert, server: &str) -> Vec<serde_json::Value> {
    let text = &assert.get_output().stdout;
    let results: serde_json::Value =
        serde_json::from_slice(text).expect("one JSON object");
    let rows = results["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["server"] == server);
    row.expect("its row")["rounds"].as_array().expect("rounds").clone()
}

#[test]
fn a_schedule_stands_whatever_fails() {
    // The server stands still for 1 s. A request is given up after 5 s or
    // after 0.3 s: as many are due, and they have waited as long.
    let load = ["--users", "10", "--rate", "200", "--json"];
    let run = |timeout| {
        let arguments = [&load[..], &["--timeout", timeout]].concat();
        let run = ["--rounds", "1", "--duration", "2"];
        let assert = compare_for(&run, "freezing", &arguments);
        let rounds = rounds(&assert, "freezing");
        let figure = |name: &str| rounds[0][name].as_f64().expect("a figure");
        (figure("requests") / figure("seconds"), figure("p99"))
    };
    let ((patient, _), (hasty, p99)) = (run("5"), run("0.3"));
    assert!((patient - 200.0).abs() < 20.0, "{patient} a second");
    assert!((hasty - 200.0).abs() < 20.0, "{hasty} a second");
    assert!(p99 > 0.7, "{p99} s");
}

#[test]
fn a_request_without_a_reply_counts_with_the_time_that_it_took_to_fail() {
    let load = ["--users", "20", "--timeout", "0.2"];
    let assert = compare_for(&LONGER, "mute-5", &load).code(1);
    let rows = rows(&assert);
    let row = rows.iter().find(|row| row.contains(&"mute-5".into()));
    let p99 = &row.expect("its row")[row_p99(row.expect("its row"))];
    let p99 = p99.strip_prefix('≥').expect("a lower bound");
    assert!(p99.parse::<f64>().expect("ms") >= 200.0, "{p99}");
    assert.stdout(contains("a request without a reply counts"));
}

/// 04 in four rounds, next to a server that is another one every second time
/// that it is started.
fn compare_changing(name: &str, server: &str, timeout: &str) -> Assert {
    let starts = folder(name).join("starts");
    let program = std::env::current_exe().expect("this test");
    let external = format!(
        "--external={name}=STARTS='{}' '{}' --ignored --exact \
         servers::{server}",
        starts.display(),
        program.display()
    );
    let run = ["--rounds", "4", "--duration", "0.1", "--timeout", timeout];
    let only = ["--only", "04", "-s", "keep-alive-10", &external];
    compare(&[&run[..], &only].concat())
}

#[test]
fn a_round_without_a_reply_makes_a_server_worse() {
    compare_changing("every-second", "mute_every_second_time", "0.2")
        .code(1)
        .stdout(contains(
            "every-second: answered nothing in time in 2 of 4 rounds.",
        ))
        .stdout(contains("∞"))
        .stdout(contains("every-second used 0.").not());
}

/// Its throughput is 0 then, which has no ratio to another's.
#[test]
fn a_round_whose_replies_all_come_later_makes_a_server_worse() {
    compare_changing("late", "late_every_second_time", "60")
        .success()
        .stdout(contains("late: answered nothing in time in 2 of 4 rounds."))
        .stdout(
            contains("late answered").not().or(contains("late answered 0.")),
        );
}

/// The right replies of a `recv` count, whatever comes after them.
#[test]
fn a_wrong_reply_costs_no_right_one() {
    let load = ["--users", "1", "--keep-alive", "--in-flight", "16", "--json"];
    let load = [&load[..], &PATIENT].concat();
    let assert = compare_with("one-wrong", &load).code(1);
    let round = &rounds(&assert, "one-wrong")[0];
    assert!(round["errors"]["reply is not pong"].as_u64() > Some(0), "{round}");
    assert!(round["succeeded"].as_u64() > Some(0), "{round}");
}

#[test]
fn what_a_server_s_processes_use_is_what_it_costs() {
    let load = [&["-s", "churn", "--json"], &PATIENT[..]].concat();
    let assert = compare_for(&LONGER, "forking", &load).success();
    let round = &rounds(&assert, "forking")[0];
    let cpu = round["cpu_per_request"].as_f64().expect("seconds");
    assert!(cpu > 0.000_8, "{cpu} s"); // a worker takes 1 ms
    assert!(round["threads"].as_f64() >= Some(6.0), "{round}");
}

#[test]
fn cpu_time_that_the_kernel_forgets_is_said_to_be_missing() {
    let program = std::env::current_exe().expect("this test");
    let external = format!(
        "--external=forgets=env --ignore-signal=CHLD '{}' --ignored --exact \
         servers::slow",
        program.display()
    );
    let load = ["--only", "04", "-s", "keep-alive-1", &external];
    let assert = compare(&[&SHORT[..], &PATIENT, &load].concat()).success();
    let bounds = rows(&assert).concat().join(" ").matches('≥').count();
    assert_eq!(bounds, 2, "CPU time a request, and in percent");
    assert.stdout(contains("forgets: ≥ is a lower bound: the server ignores"));
}

#[test]
fn a_client_that_has_to_wait_for_its_core_says_so() {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).expect("a set");
    let is_in = |&cpu: &usize| allowed.is_set(cpu) == Ok(true);
    let cpu = (0..CpuSet::count()).find(is_in).expect("a processor");
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let busy = std::thread::spawn(move || {
        let mut set = CpuSet::new();
        set.set(cpu).expect("a number out of such a set");
        sched_setaffinity(this, &set).expect("a processor that we may use");
        while !is_over.load(SeqCst) {}
    });
    let cpu = cpu.to_string();
    let load = ["--only", "04", "-s", "keep-alive-10", "--client-cpus", &cpu];
    let assert = compare(&[&LONGER[..], &PATIENT, &load].concat());
    over.store(true, SeqCst);
    busy.join().expect("our thread");
    assert.stdout(contains("the client had to wait for a core for"));
}

#[test]
fn replies_that_nobody_asked_for_are_failures() {
    let load = ["-s", "keep-alive-1", "--json"];
    let assert = compare_for(&LONGER, "twice", &load).code(1);
    let round = &rounds(&assert, "twice")[0];
    let kind = "a reply that was not asked for";
    assert!(round["errors"][kind].as_u64() > Some(1), "{round}");
    assert_eq!(round["lower_bounds_from"], 0.0, "{round}");
}

#[test]
fn a_reply_before_the_request_is_a_failure() {
    let assert = compare_with("hasty", &["-s", "low", "--json"]).code(1);
    let round = &rounds(&assert, "hasty")[0];
    let kind = "a reply that was not asked for";
    assert_eq!(round["errors"][kind], 1, "{round}");
    assert_eq!(round["lower_bounds_from"], 0.0, "{round}");
}

#[test]
fn a_timeout_is_as_fine_as_what_is_asked() {
    let load = ["--users", "5", "--keep-alive", "--timeout", "0.01", "--json"];
    let assert = compare_with("slow", &load).code(1);
    let round = &rounds(&assert, "slow")[0];
    assert_eq!(round["succeeded"], 0, "{round}");
}

#[test]
fn without_proc_nothing_is_measured() {
    let program = env!("CARGO_BIN_EXE_05-compare");
    let Some(hidden) = changed(HIDE_PROC, program) else { return };
    let mut hidden = assert_cmd::Command::from_std(hidden);
    let needs = contains("[!] needs /proc, to start, measure and end servers");
    hidden.timeout(DEADLINE).assert().code(1).stdout("").stderr(needs);
}

/// An external server that is a script.
fn script(folder: &Path, text: &str) -> String {
    let script = folder.join("script");
    fs::write(&script, text).expect("a script");
    let (script, folder) = (script.display(), folder.display());
    format!("--external=script=sh '{script}' '{folder}'")
}

#[test]
fn a_server_inherits_no_signal_that_we_block_or_ignore_and_is_quoted() {
    let folder = folder("signals");
    // Read without another process: a shell blocks signals while it forks.
    let text = "while read -r key value; do case $key in \
                SigBlk:|SigIgn:) echo $value;; esac; \
                done < /proc/self/status > $1/masks; echo broken >&2; exit 1";
    let external = script(&folder, text);
    compare(&[&SHORT[..], &["-s", "low", "--only", "04", &external]].concat())
        .code(1)
        .stdout(contains("exit status 1; it said: broken"));
    let masks = fs::read_to_string(folder.join("masks")).expect("masks");
    let masks = masks.lines().map(|mask| u64::from_str_radix(mask, 16));
    let masks: Vec<_> = masks.map(|mask| mask.expect("a mask")).collect();
    assert_eq!(masks.len(), 2);
    // What this test inherited as ignored is another matter.
    let ours = [Signal::SIGPIPE, Signal::SIGXFSZ];
    let bits = ours.map(|signal| 1 << (signal as i32 - 1));
    assert_eq!((masks[0], masks[1] & (bits[0] | bits[1])), (0, 0));
}

#[test]
fn nothing_outlives_us_even_if_we_are_killed() {
    check_that_nothing_outlives_us(Signal::SIGKILL);
}

#[test]
fn nothing_outlives_us_when_the_terminal_is_closed() {
    check_that_nothing_outlives_us(Signal::SIGHUP);
}

/// Starts a server that starts another process, in a session of its own, and
/// ends the comparison by `signal`.
fn check_that_nothing_outlives_us(signal: Signal) {
    let folder = folder(signal.as_str());
    let text = "(setsid sleep 600 & echo $! > $1/a; wait) & \
                echo $$ > $1/b; exec sleep 600";
    let external = script(&folder, text);
    // Not as inherited: nohup ignores one of them.
    let mut run = Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_05-compare")])
        .args(["--only", "none", "-s", "low", &external])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + DEADLINE;
    let pids = ["a", "b"].map(|name| {
        loop {
            let pid = fs::read_to_string(folder.join(name));
            let pid = pid.unwrap_or_default().trim().parse();
            if let Ok(pid) = pid {
                break Pid::from_raw(pid);
            }
            assert!(Instant::now() < deadline, "{name} never came");
            std::thread::yield_now();
        }
    });
    kill(Pid::from_raw(run.id().cast_signed()), signal).expect("our child");
    run.wait().expect("our child");
    for pid in pids {
        assert!(ends(pid), "{pid} is still there");
    }
}

#[test]
fn an_older_result_survives_a_run_that_cannot_be_written() {
    let folder = folder("full");
    fs::write(folder.join("results.json"), "older").expect("written");
    let program = env!("CARGO_BIN_EXE_05-compare");
    let line = format!(
        "ulimit -f 8; exec '{program}' --only 04 --rounds 1 -s low \
         --duration 0.1 --out '{}'",
        folder.display()
    );
    let mut command = assert_cmd::Command::new("bash");
    command.args(["-c", &line]).timeout(DEADLINE).assert().code(1);
    let files = fs::read_dir(&folder).expect("a folder").flatten();
    let names: Vec<_> = files.map(|file| file.file_name()).collect();
    assert_eq!(names, ["results.json"]);
    let text = fs::read_to_string(folder.join("results.json"));
    assert_eq!(text.expect("a file"), "older");
}

#[test]
fn what_we_lack_to_start_a_server_is_not_its_failure() {
    let program = env!("CARGO_BIN_EXE_05-compare");
    for descriptors in [5, 20, 73] {
        let line = format!(
            "ulimit -n {descriptors}; exec '{program}' --only 04 -s low \
             --rounds 1 --duration 0.1"
        );
        let needs = format!(
            "the client: needs 74 descriptors and may have {descriptors}"
        );
        let mut command = assert_cmd::Command::new("bash");
        command
            .args(["-c", &line])
            .timeout(DEADLINE)
            .assert()
            .code(1)
            .stdout(contains(needs))
            .stdout(contains("answered nothing").not());
    }
}

/// Three local ports are enough for three connections, and then for none.
#[test]
fn ports_that_we_lack_are_not_the_server_s_failure() {
    let program = env!("CARGO_BIN_EXE_05-compare");
    let Some(mut command) = changed(THREE_PORTS, program) else { return };
    command.args(["--only", "04", "-s", "churn"]).args(SHORT).args(PATIENT);
    let mut command = assert_cmd::Command::from_std(command);
    command
        .timeout(DEADLINE)
        .assert()
        .code(1)
        .stdout(contains("the client: out of local ports"))
        .stdout(contains(" errors in ").not());
}

/// A comparison of a server that falls silent, once a request waits for it.
fn waiting_for_silence(name: &str, seconds: &str) -> Child {
    let program = std::env::current_exe().expect("this test");
    let sign = folder(name).join("sign");
    let external = format!(
        "--external=silent='{}' --ignored --exact servers::falls_silent",
        program.display()
    );
    let run = Command::new(env!("CARGO_BIN_EXE_05-compare"))
        .args(["--users", "20", "--only", "none", "--rounds", "1"])
        .args(["--duration", seconds, "--timeout", seconds, &external])
        .env("SIGN", &sign)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let silent = poll_until(DEADLINE, || Ok(sign.exists().then_some(())));
    silent.expect("no error").expect("a request that waits");
    run
}

#[test]
fn a_client_that_stood_still_is_not_the_server_s_failure() {
    let run = waiting_for_silence("stopped", "6");
    let pid = Pid::from_raw(run.id().cast_signed());
    kill(pid, Signal::SIGSTOP).expect("sent");
    std::thread::sleep(Duration::from_millis(2_500)); // how long it stands
    kill(pid, Signal::SIGCONT).expect("sent");
    let output = run.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("the client: stood still for "), "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
}

#[test]
fn what_else_was_busy_is_said_beside_the_verdict() {
    let mut busy = Command::new("sh")
        .args(["-c", "while :; do :; done"])
        .spawn()
        .expect("a shell");
    let load = ["-s", "low", "--only", "04"];
    let assert = compare(&[&SHORT[..], &load, &PATIENT].concat());
    busy.kill().expect("our child");
    busy.wait().expect("our child");
    assert.success().stdout(contains("was not idle: others used"));
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    let loads = "keep-alive-10,burst";
    let run = ["--rounds", "2", "--duration", "0.1", "-s", loads, "--ratios"];
    let assert = compare(&[&run[..], &PATIENT].concat());
    let text =
        String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn markdown_has_the_table_and_the_sentences() {
    let run = ["-s", "low", "--only", "02,04", "--markdown"];
    compare(&[&SHORT[..], &run, &PATIENT].concat())
        .success()
        .stdout(contains("| load | server | RPS |"))
        .stdout(contains("## What the measurement is worth"));
}

#[test]
fn a_gate_ends_with_status_1_and_says_where() {
    let folder = folder("gate");
    let run = |name: &str, users: &str| {
        let out = folder.join(name).display().to_string();
        let load = ["--users", users, "--keep-alive", "--only", "04"];
        let short = ["--rounds", "3", "--duration", "0.1", "--out", &out];
        compare(&[&load[..], &short, &PATIENT].concat()).success();
        format!("{out}/results.json")
    };
    let (one, other) = (run("one", "5"), run("other", "9"));
    compare(&["diff", &one, &other])
        .code(1)
        .stderr(contains("cannot be compared: the load own"));
    // The same, and as after a change that doubles the CPU time.
    let with_cpu = |name: &str, cpu: f64| {
        let text = fs::read_to_string(&one).expect("results");
        let mut results: serde_json::Value =
            serde_json::from_str(&text).expect("JSON");
        let rounds = &mut results["rows"][0]["rounds"];
        let rounds = rounds.as_array_mut().expect("rounds");
        for (number, round) in rounds.iter_mut().enumerate() {
            let noise = 1.0 + number as f64 / 100.0;
            round["cpu_per_request"] = (cpu * noise).into();
            round["succeeded"] = 100.into();
        }
        let path = folder.join(name).display().to_string();
        fs::write(&path, results.to_string()).expect("written");
        path
    };
    let (one, slow) = (with_cpu("fast", 1e-5), with_cpu("slow", 2e-5));
    compare(&["diff", &one, &one, "--fail-if", "cpu>1.05"]).success();
    let gate = ["--fail-if", "cpu>1.05", "--fail-if", "rps<0.5"];
    compare(&[&["diff", &one, &slow][..], &gate].concat())
        .code(1)
        .stderr(contains("own, 04-epoll: cpu>1.05 (cpu is "));
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

#[test]
fn ctrl_c_counts_what_still_waits_for_its_reply() {
    let run = waiting_for_silence("silent", "600");
    kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGINT).expect("sent");
    let output = run.wait_with_output().expect("it ends");
    let row = &rows_of(&output.stdout)[0];
    assert!(row[row_p99(row)].starts_with('≥'), "{row:?}");
    assert_eq!(errors(row), "0");
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
    assert!(row.contains("1.00 [") && !row.contains('*'), "{row}");
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
        (&["--baseline", "03"], "there are 01-blocking, 02-threads, 04-epoll"),
        (&["--timeout", "0"], "give seconds from 0.001 to 1000000000"),
        (&["--also", "99-none"], "cargo build --release --bin 99-none"),
        (&["--server-cpus", "9999"], "give processors"),
        (&["--rate", "10"], "--users"),
        (&["--users", "5", "--in-flight", "4"], "--keep-alive"),
        (&["--users", "5", "--rate", "0"], "or closed"),
        (&["diff", "a", "b", "--fail-if", "speed>1"], "give one of cpu"),
        (&["--external", "nameless"], "give a name and a command"),
        (&["--external", "04-epoll=x"], "two servers have the name 04-epoll"),
        (&["surplus"], "unrecognized subcommand"),
    ] {
        compare(arguments).code(2).stderr(contains(reason));
    }
}

#[test]
fn the_hidden_commands_are_not_in_the_help() {
    compare(&["--help"])
        .success()
        .stdout(contains("Be one of the servers").not());
}
