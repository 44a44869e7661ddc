//! The workbench as a new reader uses it, in a folder of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs};

use assert_cmd::cargo::CommandCargoExt;

/// A folder for servers, away from the reader's.
struct Workbench {
    folder: PathBuf,
}

impl Workbench {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("workbench").unwrap();
        command.args(arguments).arg("--folder").arg(&self.folder);
        command.output().unwrap()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The one line that says what is wrong.
fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

#[test]
fn never_overwrites_what_is_there() {
    let bench = Workbench::new("aside");
    for text in ["first", "second"] {
        assert!(bench.run(&["start", "04", "--in", "c"]).status.success());
        bench.write("04-epoll/server.c", text);
    }
    let third = bench.run(&["start", "04", "--at", "5"]);
    assert!(stdout(&third).contains("what was there is now in "));
    assert_eq!(bench.read("04-epoll.1/server.c"), "first");
    assert_eq!(bench.read("04-epoll.2/server.c"), "second");
    assert!(bench.read("04-epoll/src/main.rs").contains("Stage 5"));
    assert!(bench.read("04-epoll/Cargo.toml").contains("nix = "));
}

#[test]
fn says_where_it_is_whatever_the_folder() {
    let bench = Workbench::new("where");
    let file = bench.folder.join("01-blocking/server.c");
    let mut command = Command::cargo_bin("workbench").unwrap();
    command.args(["start", "01", "--in", "c", "--folder", "where"]);
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let said = stdout(&command.output().unwrap());
    let place = format!("[*] your server: {}\n", file.display());
    assert!(said.contains(&place), "{said}");
    assert!(file.exists());
}

#[test]
fn says_what_cannot_be_begun() {
    let bench = Workbench::new("begun");
    let said = error(&bench.run(&["start", "02", "--in", "node"]));
    assert!(said.contains("it has step 04 alone"), "{said}");
    let said = error(&bench.run(&["start", "04", "--in", "c", "--at", "2"]));
    assert!(said.contains("in Rust alone"), "{said}");
    let said = error(&bench.run(&["start", "02", "--at", "4"]));
    assert!(said.contains("0, 1, 2, 3, 5, 6, 7, 8"), "{said}");
    let said = error(&bench.run(&["mine"]));
    assert!(said.contains("just start 04"), "{said}");
    assert!(!bench.folder.exists());
}

#[test]
fn says_in_a_line_that_a_toolchain_is_missing() {
    let bench = Workbench::new("toolchain");
    bench.run(&["start", "04", "--in", "go"]);
    let mut command = Command::cargo_bin("workbench").unwrap();
    command.args(["mine", "--folder"]).arg(&bench.folder).env("PATH", "");
    let said = error(&command.output().unwrap());
    assert_eq!(said, "[!] go is missing: install it, and try again\n");
}

/// Whether `tool` is there; where it must be, it is.
fn has(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok();
    assert!(there || !harness::in_ci(), "{tool} is missing");
    if !there {
        eprintln!("skipped: no {tool}");
    }
    there
}

#[test]
fn says_what_is_next_for_the_smallest_server() {
    if !has("python3") {
        return;
    }
    let bench = Workbench::new("next");
    bench.run(&["start", "04", "--in", "python"]);
    let output = bench.run(&["mine"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    let lines = [
        "FAIL   1  survives resets right after a line\n",
        "stage 0    13 of 13  the article's server\n",
        "stage 2    not run ",
        "Next is stage 1: ",
    ];
    for line in lines {
        assert!(said.contains(line), "no {line:?} in:\n{said}");
    }
}

#[test]
fn says_what_keeps_a_server_from_its_cases() {
    if !has("cc") {
        return;
    }
    let bench = Workbench::new("broken");
    bench.run(&["start", "02", "--in", "c"]);
    let programs = [
        ("int main(void) {", "it does not build: mend "),
        ("int main(void) { return 3; }", "ended before it listened"),
        (
            "#include <unistd.h>\nint main(void) { pause(); return 0; }",
            "does not listen on the port that it was given",
        ),
        (
            // A megabyte, and no listener.
            "#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n\
             for (int i = 0; i < 1 << 20; i++) putchar('x');\n\
             fflush(stdout); pause(); return 0; }",
            "does not listen on the port that it was given",
        ),
    ];
    for (program, problem) in programs {
        bench.write("02-threads/server.c", program);
        let said = error(&bench.run(&["mine", "--timeout", "2"]));
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn shows_what_a_stage_adds() {
    let bench = Workbench::new("stage");
    let said = stdout(&bench.run(&["stage", "04", "5"]));
    assert!(said.contains("+    fn finish(&mut self"), "{said}");
    assert!(said.lines().any(|line| line.starts_with('-')), "{said}");
    let list = stdout(&bench.run(&["stage", "01"]));
    assert!(list.contains("stage 7  "), "{list}");
}
