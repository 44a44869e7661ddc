//! The examples of the book's pages and exercises do what those say.
//!
//! `cargo test -p step-04-epoll` builds them; `--test examples` alone does not,
//! and then each test says that it was skipped.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{Process, Signal, StdoutReader};

type Result = std::result::Result<(), Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(10);

/// An example to be run, beside the step's own binary.
fn example(name: &str) -> Option<Command> {
    let folder = Path::new(env!("CARGO_BIN_EXE_04-epoll")).parent();
    let path = folder.map(|f| f.join("examples").join(name))?;
    if path.exists() {
        return Some(Command::new(path));
    }
    assert!(!harness::in_ci(), "{name} is not built");
    println!("skipped: {name} is not built");
    None
}

/// Compares what an example prints with what the book shows of it.
fn prints_what_the_book_shows(name: &str) -> Result {
    let Some(mut command) = example(name) else { return Ok(()) };
    let now = String::from_utf8(command.output()?.stdout)?;
    let book = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../book/src/transcripts/{name}.1.txt"));
    let shown = fs::read_to_string(book)?;
    let (_command, shown) = shown.split_once('\n').unwrap_or_default();
    assert_eq!(now.trim_end(), shown.trim_end());
    Ok(())
}

#[test]
fn edges_are_reported_as_the_book_shows() -> Result {
    prints_what_the_book_shows("edges")
}

#[test]
fn endings_are_reported_as_the_book_shows() -> Result {
    prints_what_the_book_shows("endings")
}

#[test]
fn a_reset_eats_a_reply_and_a_lingering_close_does_not() -> Result {
    let Some(mut command) = example("reset") else { return Ok(()) };
    let printed = String::from_utf8(command.output()?.stdout)?;
    let lines: Vec<_> = printed.lines().collect();
    let whole = |line: &str| line.ends_with("2000000 bytes, then the end");
    assert!(
        matches!(lines[..], [one, two, linger]
            if whole(one) && !whole(two) && whole(linger)),
        "{printed}"
    );
    Ok(())
}

/// Starts a server, sends it `ping` at each of its `doors`, and ends it.
fn serves(name: &str, doors: usize) -> Result {
    let Some(mut command) = example(name) else { return Ok(()) };
    command.args(["--port", "0", "--quiet"]).env("LC_ALL", "C");
    let server = Process::start(command, StdoutReader::Prompt)?;
    let all = |text: &str| text.lines().count() == doors;
    let printed = server.stdout.wait_for(TIMEOUT, all);
    assert_eq!(printed.lines().count(), doors, "{printed}");
    for line in printed.lines() {
        let address = line.rsplit(' ').next().unwrap_or_default();
        let mut client = TcpStream::connect(address)?;
        client.write_all(b"ping")?;
        client.shutdown(Shutdown::Write)?;
        let mut reply = String::new();
        client.read_to_string(&mut reply)?;
        assert_eq!(reply, "pong\n", "{line}");
    }
    server.signal(Signal::SIGTERM)?;
    assert!(server.wait(TIMEOUT)?.success());
    Ok(())
}

#[test]
fn the_loop_on_poll_serves() -> Result {
    serves("poll", 1)
}
