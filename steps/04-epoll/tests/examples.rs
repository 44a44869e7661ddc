//! The examples of the book's pages and exercises do what those say.
//!
//! `cargo test -p step-04-epoll` builds them; `--test examples` alone does not,
//! and then each test says that it was skipped.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

type Result = std::result::Result<(), Box<dyn Error>>;

/// An example to be run, beside the step's own binary.
fn example(name: &str) -> Option<Command> {
    let folder = Path::new(env!("CARGO_BIN_EXE_04-epoll")).parent();
    let path = folder.map(|f| f.join("examples").join(name))?;
    if path.exists() {
        return Some(Command::new(path));
    }
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

/// A server that does not outlive its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server, sends it `ping` at each of its `doors`, and ends it.
fn serves(name: &str, doors: usize) -> Result {
    let Some(mut command) = example(name) else { return Ok(()) };
    let command = command.args(["--port", "0", "--quiet"]);
    let mut server = Server(command.stdout(Stdio::piped()).spawn()?);
    let stdout = server.0.stdout.take().ok_or("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    for _ in 0..doors {
        let line = lines.next().ok_or("no first line")??;
        let mut client =
            TcpStream::connect(line.rsplit(' ').next().unwrap_or_default())?;
        client.write_all(b"ping")?;
        client.shutdown(Shutdown::Write)?;
        let mut reply = String::new();
        client.read_to_string(&mut reply)?;
        assert_eq!(reply, "pong\n", "{line}");
    }
    kill(Pid::from_raw(server.0.id().cast_signed()), Signal::SIGTERM)?;
    assert!(server.0.wait()?.success());
    Ok(())
}

#[test]
fn the_loop_on_poll_serves() -> Result {
    serves("poll", 1)
}

#[test]
fn two_listeners_serve() -> Result {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: no IPv6 here");
        return Ok(());
    }
    serves("two_listeners", 2)
}

#[test]
fn two_loops_serve() -> Result {
    serves("second_core", 1)
}
