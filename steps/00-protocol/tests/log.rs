//! The log, as its reader sees it: this program starts itself, and is then the
//! server that prints.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio, exit};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use protocol::{Call, Error, Frame, Log, Message, exit_code};

const TASK: &str = "LOG_TEST_TASK";
/// More than a pipe holds, and than the log collects.
const LINES: usize = 10_000;
/// Times that the log is written while its reader stalls.
const FLUSHES: usize = 1_000;
/// How long its reader stalls, at the most.
const STALL: Duration = Duration::from_secs(20);

/// How long two threads write, and how long their reader pauses meanwhile.
const WRITES: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(50);

fn start(task: &str, env: &[(&str, &str)]) -> io::Result<Child> {
    command(task, env)?.spawn()
}

fn command(task: &str, env: &[(&str, &str)]) -> io::Result<Command> {
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--nocapture"]).env(TASK, task);
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    command.envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    Ok(command)
}

/// What the child printed of ours, and on stderr.
fn output(task: &str, env: &[(&str, &str)]) -> io::Result<[String; 2]> {
    let output = start(task, env)?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // The test runner has its own lines around ours.
    let ours = text.lines().filter(|line| line.starts_with('['));
    let ours = ours.collect::<Vec<_>>().join("\n");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok([ours, stderr])
}

fn error() -> Error {
    let source = io::Error::from_raw_os_error(104);
    Error { call: Call::Recv, source }
}

/// Writes more than its reader takes.
fn stall(log: &mut Log) {
    for _ in 0..LINES {
        log.info(Message::PeerClosed);
    }
    // It waits for its reader once, not at every line.
    let before = Instant::now();
    for _ in 0..FLUSHES {
        log.info(Message::PeerClosed);
        log.flush();
    }
    assert!(before.elapsed() < STALL);
    log.error(&error());
    // Until it is read: then there is room again.
    let stdout = io::stdout();
    let room = PollFd::new(stdout.as_fd(), PollFlags::POLLOUT);
    let _ = poll(&mut [room], STALL.as_millis() as u16);
    log.info(Message::Ended(None));
    log.flush();
    log.info(Message::Ended(None));
}

/// Writes to both outputs as long as they are read. Fails where a write blocks.
fn share() -> ! {
    let end = Instant::now() + WRITES;
    let (sender, receiver) = channel();
    for is_error in [false, true] {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut log = Log::new(false);
            while Instant::now() < end {
                if is_error {
                    log.error(&error());
                } else {
                    // Written when there is a page of them.
                    log.info(Message::PeerClosed);
                }
            }
            sender.send(())
        });
    }
    let ended = [(); 2].map(|()| receiver.recv_timeout(STALL));
    // The test runner's last lines would wait for a reader.
    exit(i32::from(ended.contains(&Err(RecvTimeoutError::Timeout))))
}

#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let mut log = Log::new(task == "quiet");
    match &*task {
        "stall" => stall(&mut log),
        "share" => share(),
        "exit" => {
            let shown = |code| format!("[*] {code:?}\n");
            let codes = [exit_code(Ok(())), exit_code(Err(error()))];
            print!("{}", codes.map(shown).concat());
        }
        _ => {
            log.exchange(Frame::Line(b"ping"), b"pong\n");
            Log::new(log.quiet).info(Message::PeerClosed);
            log.warn(&error());
            log.notice(Message::ShuttingDown(2));
        }
    }
}

#[test]
fn prints_every_line_and_warnings_on_stderr() {
    let [stdout, stderr] = output("loud", &[]).expect("a child");
    // That of the other thread's log came first: it was dropped first.
    assert_eq!(
        stdout,
        "[*] client closed the connection\n[*] received: ping\n\
         [*] sent: pong\n[*] received signal 2, shutting down"
    );
    assert!(stderr.starts_with("[!] receive failed: "), "{stderr}");
}

#[test]
fn a_quiet_one_prints_what_concerns_the_whole_server() {
    let [stdout, stderr] = output("quiet", &[]).expect("a child");
    assert_eq!(stdout, "[*] received signal 2, shutting down");
    assert_eq!(stderr, "");
    assert!(Log::new(true).quiet && !Log::new(false).quiet);
}

#[test]
fn the_first_locale_that_is_set_decides_on_the_language() {
    for (env, japanese) in [
        (&[("LANG", "ja_JP.UTF-8")][..], true),
        (&[("LC_ALL", "ja_JP.UTF-8"), ("LANG", "C")], true),
        (&[("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")], false),
        (&[("LC_ALL", ""), ("LC_MESSAGES", "ja"), ("LANG", "C")], true),
        (&[("LANG", "en_GB.UTF-8")], false),
    ] {
        let [stdout, _] = output("quiet", env).expect("a child");
        assert_eq!(stdout.contains("シグナル"), japanese, "{env:?}: {stdout}");
    }
}

#[test]
fn an_error_is_printed_and_is_status_1() {
    let [stdout, stderr] = output("exit", &[]).expect("a child");
    let (first, second) = stdout.split_once('\n').expect("two lines");
    assert!(first.contains('0') && second.contains('1'), "{stdout}");
    assert!(stderr.starts_with("[!] receive failed"), "{stderr}");
}

#[test]
fn drops_and_counts_what_is_not_read_and_then_goes_on() {
    let mut child = start("stall", &[]).expect("a child");
    let stderr = child.stderr.take().expect("a pipe");
    let mut line = String::new();
    // It has got that far, though nothing was read.
    BufReader::new(stderr).read_line(&mut line).expect("its stderr");
    assert!(line.starts_with("[!] receive failed"), "{line}");

    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut text).expect("lines");
    assert!(child.wait().expect("its end").success());
    assert!(dropped_of(&text) > 0);
}

/// It fills the pipe before its reader comes. On a busy machine that may be too
/// late, but not each time.
#[test]
fn drops_nothing_where_its_reader_pauses_for_a_moment() {
    let dropped = || {
        let mut child = start("stall", &[]).expect("a child");
        let mut stdout = child.stdout.take().expect("a pipe");
        let mut text = String::new();
        stdout.by_ref().take(1).read_to_string(&mut text).expect("a byte");
        sleep(PAUSE / 2);
        stdout.read_to_string(&mut text).expect("lines");
        assert!(child.wait().expect("its end").success());
        dropped_of(&text)
    };
    assert!((0..10).any(|_| dropped() == 0));
}

/// A page is soon read, and so each wait would succeed.
#[test]
fn drops_lines_where_its_reader_is_slow_and_steady() {
    let mut child = start("stall", &[]).expect("a child");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut text = String::new();
    for _ in 0..30 {
        let mut page = stdout.by_ref().take(4_096);
        page.read_to_string(&mut text).expect("a page");
        sleep(PAUSE);
    }
    stdout.read_to_string(&mut text).expect("lines");
    assert!(child.wait().expect("its end").success());
    assert!(dropped_of(&text) > 0);
}

/// Checks what a child that stalls has printed: whole lines, and the number of
/// those that are missing, which it returns.
fn dropped_of(text: &str) -> usize {
    let (mut whole, mut dropped) = (0, 0);
    for line in text.lines() {
        if line == "[*] client closed the connection" {
            whole += 1;
        } else if let Some(rest) = line.strip_prefix("[!] ") {
            let count = rest.split(' ').next();
            dropped += count.and_then(|n| n.parse().ok()).unwrap_or(0);
        } else if line != "[*] connection ended" {
            // That of the test runner: a line of ours is never torn.
            assert!(!line.contains("["), "{line}");
        }
    }
    let lines = LINES + FLUSHES;
    // The line that comes when there is room may be dropped too.
    assert!((lines..=lines + 1).contains(&(whole + dropped)), "{dropped}");
    dropped
}

/// Two threads wait for room, and there is room for one.
#[test]
fn ends_unread_where_both_outputs_are_one_pipe() {
    for _ in 0..10 {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut command = command("share", &[]).expect("a command");
        command.stderr(writer.try_clone().expect("a descriptor"));
        let mut child = command.stdout(writer).spawn().expect("a child");
        drop(command); // close(2): the pipe's other end
        let mut some = reader.by_ref().take(1 << 20);
        io::copy(&mut some, &mut io::sink()).expect("lines");
        sleep(PAUSE);
        let _ = reader.read(&mut [0; 4_096]).expect("a page");
        assert!(child.wait().expect("its end").success());
    }
}
