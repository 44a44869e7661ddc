//! `check` on strangers' servers: whatever the command, it says what is wrong,
//! and leaves nothing running.
//!
//! `strangers/` has servers in other languages. The right ones show that no case
//! asks for more than a server in such a language can do.

#![expect(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use harness::namespace::{HIDE_PROC, changed};
use harness::{
    CaseError, CaseResult, Signal, TIMEOUT, eventually, in_ci, poll_until,
    proc_unavailable,
};
use nix::sys::signal::kill;
use nix::unistd::Pid;

const CHECK: &str = env!("CARGO_BIN_EXE_check");
/// Cases that are quick, and among them some that signal the server.
const SIGNALS: &str = "status 0";

/// A file in `strangers/`.
fn stranger(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers");
    folder.join(name)
}

fn python(name: &str) -> String {
    format!("python3 '{}' {{port}}", stranger(name).display())
}

/// All that it printed, if its exit status was `code`.
fn printed(args: &[&str], code: i32) -> String {
    printed_in("C", args, code)
}

fn printed_in(locale: &str, args: &[&str], code: i32) -> String {
    let mut check = Command::new(CHECK);
    let Output { status, stdout, stderr } =
        check.args(args).env("LC_ALL", locale).output().expect("check");
    let text = [stdout, stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(status.code(), Some(code), "{args:?}:\n{text}");
    text
}

fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

/// Whether a tool is there.
fn has(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg(if tool == "go" { "version" } else { "--version" });
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

// How a server is started.

#[test]
fn takes_a_command_as_a_shell_would() {
    let folder = stranger("").display().to_string();
    for command in [
        format!("NAME=me cd '{folder}' && python3 \"right.py\" {{port}}"),
        format!("PYTHONUNBUFFERED=1 {} # a comment", python("right.py")),
        format!("python3 '{folder}/right.py' $PORT"),
        format!(
            "cd {folder}; python3 -c 'import runpy; \
                 runpy.run_path(\"right.py\")' \"$PORT\""
        ),
    ] {
        let text = printed(&[&command, "answers ping"], 0);
        assert_contains(&text, &["2 passed"]);
    }
}

#[test]
fn signals_the_server_and_not_the_script_that_started_it() {
    if proc_unavailable().is_some() {
        return;
    }
    let script = format!(
        "sh -c '{} || exit 1; exit 0'",
        python("right.py").replace('\'', "")
    );
    assert_contains(&printed(&[&script, SIGNALS], 0), &["2 passed"]);
}

#[test]
fn counts_in_the_articles_words_where_the_locale_is_japanese() {
    let args = [&*python("right.py"), "answers ping"];
    let text = printed_in("ja_JP.UTF-8", &args, 0);
    assert_contains(&text, &["成功: 2 失敗: 0", "総経過時間: "]);
}

#[test]
fn says_how_long_it_waited_for_a_server_to_start() {
    let slow = format!("sleep 30; {}", python("right.py"));
    let text = printed(&[&slow, "ping", "--timeout", "1"], 1);
    assert_contains(&text, &["no listener within 1s", "--timeout"]);
}

#[test]
fn says_where_a_server_listens_instead() {
    let listen = |family: &str, address: &str| {
        format!(
            "python3 -c 'import socket, sys, time; \
             s = socket.socket(socket.{family}); s.bind((\"{address}\", \
             int(sys.argv[1]))); s.listen(); time.sleep(60)'"
        )
    };
    let elsewhere = format!("{} 0 {{port}}", listen("AF_INET", "127.0.0.1"));
    let text = printed(&[&elsewhere, "ping", "--timeout", "2"], 1);
    if proc_unavailable().is_none() {
        assert_contains(&text, &["it listens on port ", "{port}"]);
    }
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let on_ipv6 = format!("{} {{port}}", listen("AF_INET6", "::1"));
        let text = printed(&[&on_ipv6, "ping", "--timeout", "2"], 1);
        assert_contains(&text, &["IPv6 alone", "[::1]:"]);
    }
}

#[test]
fn says_what_a_command_said_that_does_not_start() {
    let text = printed(&["./no-such-server {port}", "ping"], 1);
    assert_contains(&text, &["ended before it listened", "no-such-server"]);
    assert_contains(
        &printed(&["127.0.0.1", "ping"], 2),
        &["an address and a port"],
    );
}

// What is left of it.

/// A file that every server of a test has in its command line.
struct Mark(String);

impl Mark {
    fn new(name: &str) -> Self {
        Self(format!("pingpong-check-{name}-{}", std::process::id()))
    }

    /// A script that starts the server and waits, as `npm start` does.
    fn command(&self) -> String {
        let server = python("right.py");
        format!(
            "sh -c 'sh -c \"{} {} & wait\"; true'",
            server.replace('\'', ""),
            self.0
        )
    }

    /// The processes that have it.
    fn left(&self) -> Vec<i32> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = all.filter_map(|e| e.file_name().to_str()?.parse().ok());
        let marked = |number: &i32| {
            fs::read(format!("/proc/{number}/cmdline")).is_ok_and(|line| {
                let line = String::from_utf8_lossy(&line).into_owned();
                line.contains(&self.0) && !line.contains("check\0")
            })
        };
        numbers.filter(marked).collect()
    }

    fn is_gone(&self) -> CaseResult {
        eventually(TIMEOUT, || match self.left()[..] {
            [] => Ok(()),
            _ => Err(CaseError::new(format!("left: {:?}", self.left()))),
        })
    }
}

#[test]
fn leaves_nothing_running() -> CaseResult {
    let mark = Mark::new("end");
    let text = printed(&[&mark.command(), "answers", "--timeout", "20"], 0);
    assert_contains(&text, &["passed, 0 failed"]);
    mark.is_gone()
}

#[test]
fn leaves_nothing_running_however_it_ends() -> CaseResult {
    if proc_unavailable().is_some() {
        return Ok(());
    }
    for signal in
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL]
    {
        let mark = Mark::new(signal.as_str());
        // Not as inherited: nohup, and a shell's background, ignore some.
        let mut check = Command::new("env")
            .args(["--default-signal=INT,HUP", CHECK])
            .args([&mark.command(), "--all", "--timeout", "10"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(CaseError::of("check"))?;
        let id = Pid::from_raw(check.id().cast_signed());
        let started = || Ok((!mark.left().is_empty()).then_some(()));
        poll_until(TIMEOUT, started)?
            .ok_or_else(|| CaseError::new("no server was started"))?;
        kill(id, signal).map_err(CaseError::of("kill"))?;
        ended(&mut check)?;
        mark.is_gone().map_err(|error| error.with("after", signal.as_str()))?;
    }
    Ok(())
}

fn ended(check: &mut Child) -> CaseResult {
    let status = || check.try_wait().map_err(CaseError::of("waitpid"));
    poll_until(TIMEOUT, status)?
        .map(drop)
        .ok_or_else(|| CaseError::new("check does not end"))
}

#[test]
fn ends_a_server_that_leaves_its_process_group() -> CaseResult {
    if proc_unavailable().is_some() || !has("setsid") {
        return Ok(());
    }
    let mark = Mark::new("daemon");
    let server = format!("{} {}", python("right.py"), mark.0);
    for command in [
        format!("setsid {server}"),
        format!("setsid {server} > /dev/null 2>&1 &"),
    ] {
        let text = printed(&[&command, "ping", "--timeout", "5"], 1);
        assert_contains(&text, &["process group", "foreground"]);
        mark.is_gone()?;
    }
    Ok(())
}

// What it says of a run.

#[test]
fn stops_where_no_other_case_can_pass() {
    let echo = "python3 -c 'import socketserver as s, sys\n\
                class Echo(s.StreamRequestHandler):\n\
                \u{20}def handle(self):\n\
                \u{20} for line in self.rfile: self.wfile.write(line)\n\
                s.ThreadingTCPServer((\"127.0.0.1\", int(sys.argv[1])), Echo)\
                .serve_forever()' {port}";
    let text = printed(&[echo, "--timeout", "5"], 1);
    assert_contains(&text, &["0 passed, 1 failed", "--all", "not run"]);
    assert!(text.lines().count() < 40, "{text}");
}

#[test]
fn a_run_in_which_no_case_can_run_is_no_success() {
    let Some(mut hidden) = changed(HIDE_PROC, CHECK) else { return };
    hidden.args([&python("right.py"), "gives back"]);
    let output = hidden.output().expect("check");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let why = "No case could be run: needs /proc, to look into the server's";
    assert_contains(&text, &["0 passed, 0 failed", why]);
}

// Strangers.

/// A server has two seconds for its end, and these interpreters need most of
/// them where the machine is busy: such cases fail or not, as a race goes.
const RACES: [&str; 3] = [
    "ends with a client that never reads",
    "tears no reply when it ends under load",
    "tears no stuck reply when it ends",
];

fn passes_all(command: &str) {
    // A thread for each of 3,000 clients takes its time where others compute.
    let args = [command, "--timeout", "60"];
    let output = Command::new(CHECK).args(args).output().expect("check");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = text.lines().filter(|line| {
        let race = RACES.iter().any(|name| line.ends_with(name));
        line.starts_with("FAIL") && !race
    });
    assert_eq!(failed.count(), 0, "{text}");
    assert_contains(&text, &["stage 8"]);
}

#[test]
fn asks_no_more_than_python_can_do() {
    passes_all(&python("right.py"));
}

#[test]
fn asks_no_more_than_node_can_do() {
    if has("node") {
        passes_all(&format!(
            "node '{}' {{port}}",
            stranger("right.js").display()
        ));
    } else {
        println!("skipped: node is not installed");
    }
}

/// Those that most people write first: they take one read for one line. What
/// they do get right passes.
#[test]
fn says_what_first_servers_get_wrong() {
    let naive = |file: &str, run: &str| {
        (
            run.split(' ').next().unwrap_or_default().to_owned(),
            format!("{run} '{}' {{port}}", stranger(file).display()),
        )
    };
    let book = stranger("../../../../book/naive.py");
    let python = format!("python3 '{}' {{port}}", book.display());
    for (tool, command) in [
        ("python3".into(), python),
        naive("naive.js", "node"),
        naive("naive.go", "go run"),
    ] {
        if !has(&tool) {
            assert!(tool != "python3" || !in_ci(), "python3 is not installed");
            println!("skipped: {tool} is not installed");
            continue;
        }
        // `go run` builds it first.
        let timeout = if tool == "go" { "30" } else { "5" };
        let run = |filter, code| {
            printed(&[&command, filter, "--timeout", timeout], code)
        };
        assert_contains(&run("answers ping", 0), &["2 passed"]);
        assert_contains(&run("says once that", 1), &["expected:", "came:"]);
    }
}
