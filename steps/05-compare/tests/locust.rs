//! The Locust file drives step 04, and no request fails.
//!
//! Needs Locust: from the path, or from the virtual environment that `just
//! locust` makes. In CI the test makes one for itself.

#![expect(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use harness::in_ci;

const STEP: &str = env!("CARGO_MANIFEST_DIR");

/// A server that ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_05-compare"))
            .args(["serve", "04-epoll", "--quiet", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.split_whitespace().next_back().expect("an address");
        Self { process, address: address.into() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Locust, if it is here or to be had: looked for once, by one of the tests.
fn locust() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(find_locust).as_ref()
}

fn find_locust() -> Option<PathBuf> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("locust");
    let shared = Path::new(STEP).join("../../.venv");
    let bins = [shared.join("bin/locust"), environment.join("bin/locust")];
    let found = || {
        let names = [PathBuf::from("locust")].into_iter().chain(bins.clone());
        names.into_iter().find(|name| works(Command::new(name).arg("-V")))
    };
    found().or_else(|| {
        if !in_ci() {
            return None; // nothing is installed unasked
        }
        let requirements = Path::new(STEP).join("requirements.txt");
        let pip = environment.join("bin/pip");
        works(Command::new("python3").args(["-m", "venv"]).arg(&environment))
            .then(|| {
                let mut install = Command::new(pip);
                works(install.args(["install", "-r"]).arg(requirements))
            })
            .and_then(|_| found())
    })
}

#[test]
fn the_locust_file_drives_step_04_without_a_failure() {
    let Some(locust) = locust() else {
        assert!(!in_ci(), "CI needs Locust");
        println!("skipped: there is no Locust; `just locust` installs it");
        return;
    };
    let server = Server::start();
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("locust-run");
    let output = Command::new(locust)
        .args(["--headless", "--users", "20", "--spawn-rate", "20"])
        .args(["--run-time", "6s", "--host", &server.address])
        .arg("--locustfile")
        .arg(Path::new(STEP).join("locustfile.py"))
        .arg("--csv")
        .arg(&prefix)
        .output()
        .expect("Locust runs");
    assert!(output.status.success(), "{output:?}");

    let csv = format!("{}_stats.csv", prefix.display());
    let csv = fs::read_to_string(csv).expect("what Locust wrote");
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let titles = lines.next().expect("a heading");
    assert_eq!(titles, our_titles(), "our CSV should have Locust's columns");
    let ping = lines.next().expect("a line for ping");
    assert_eq!(ping[..2], ["TCP", "ping"]);
    assert_eq!(ping[3], "0", "no failure: {ping:?}");
    assert!(ping[2].parse::<u64>().expect("a count") > 0, "{ping:?}");
}

/// Three hosts: a server, a master, and the workers.
#[test]
fn locust_drives_a_server_on_another_host() {
    let Some(locust) = locust() else {
        assert!(!in_ci(), "CI needs Locust");
        println!("skipped: there is no Locust; `just locust` installs it");
        return;
    };
    let mut trial = Command::new("unshare");
    if !works(trial.args(["--map-root-user", "--net", "ip", "link"])) {
        println!("skipped: no network namespace without root, or no `ip`");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = env!("CARGO_BIN_EXE_05-compare");
    // The script starts a program with the options of the servers.
    let server = folder.join("server-for-hosts");
    let text = format!("#!/bin/sh\nexec '{program}' serve 04-epoll \"$@\"\n");
    fs::write(&server, text).expect("written");
    assert!(works(Command::new("chmod").arg("+x").arg(&server)));
    let output = Command::new(Path::new(STEP).join("locust-hosts"))
        .arg(locust.canonicalize().unwrap_or_else(|_| locust.clone()))
        .arg(&server)
        .args(["10", "2", "1ms"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("listening on 10.0.1.1:8888"), "{text}");
    let ping = text.lines().find(|line| line.contains(" ping "));
    assert!(ping.is_some_and(|line| line.contains(" 0(0.00%) ")), "{text}");
}

/// The columns of the CSV that 05-compare itself writes.
fn our_titles() -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("titles");
    let mut compare = Command::new(env!("CARGO_BIN_EXE_05-compare"));
    let short = ["--rounds", "1", "--duration", "0.05", "-s", "low", "--out"];
    assert!(works(compare.args(short).arg(&folder)));
    let csv = fs::read_to_string(folder.join("stats.csv")).expect("our CSV");
    let titles = csv.lines().next().expect("a heading");
    titles.split(',').map(Into::into).collect()
}
