//! What a server's surroundings may do to it: what it inherits over `exec`,
//! limits that are low or fall while it runs. Each of these has ended a server
//! once, or one of its clients.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::{
    CaseError, CaseResult, Client, Launch, Process, Signal, TIMEOUT, in_ci,
    server_of_this_step, steps, strace_unavailable,
};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, setsockopt,
    socket, sockopt,
};

fn path() -> &'static str {
    server_of_this_step!().1
}

/// The options of a mode that has a test of its own, named after it.
fn options() -> &'static [&'static str] {
    let mode = env!("CARGO_CRATE_NAME").strip_prefix("hardening_");
    let mut targets = steps::targets(server_of_this_step!().0);
    let target = targets.find(|target| Some(target.mode) == mode);
    target.map_or(&[], |target| target.options)
}

fn launch() -> Launch {
    steps::launch(path()).args(options())
}

/// Started by `tool`, whose arguments end where the server's begin. `None`
/// where the tool is missing.
fn started_by(tool: &str, args: &[&str]) -> Option<Launch> {
    if Command::new(tool).arg("--version").output().is_err() {
        assert!(!in_ci(), "{tool} is missing");
        println!("skipped: needs {tool}");
        return None;
    }
    let launch = Launch::program(tool, args);
    Some(launch.args(&[path(), "--port", "{port}"]).args(options()))
}

// What it inherits.

#[test]
fn shuts_down_at_a_signal_that_its_parent_had_ignored() -> CaseResult {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let option = "--ignore-signal=INT,TERM";
        let Some(launch) = started_by("env", &[option]) else { break };
        let server = launch.start(TIMEOUT)?;
        server.still_serves()?;
        server.process()?.ends_in_order(signal)?;
    }
    Ok(())
}

#[test]
fn outlives_a_timer_that_its_parent_had_set() -> CaseResult {
    let script = "setitimer ITIMER_PROF, 0.01; alarm 1; exec @ARGV";
    let args = ["-MTime::HiRes=setitimer,ITIMER_PROF,alarm", "-e", script];
    let Some(launch) = started_by("perl", &args) else { return Ok(()) };
    let server = launch.args(&["--quiet"]).start(TIMEOUT)?;
    let mut client = server.connect()?;
    let start = Instant::now();
    // Both timers would have run out by then.
    while start.elapsed() < Duration::from_millis(1_200) {
        client.ask(b"ping\n", b"pong\n")?;
    }
    server.process()?.ends_in_order(Signal::SIGTERM)
}

// Limits.

#[test]
fn outlives_a_log_that_has_reached_its_size_limit() -> CaseResult {
    let id = std::process::id();
    let log = std::env::temp_dir().join(format!("hardening-{id}.log"));
    // 2 blocks of 512 bytes.
    let script = "ulimit -f 2; exec \"$0\" --port \"$1\" > \"$2\"";
    let file = log.to_string_lossy();
    let command = format!("sh -c '{script}' {} {{port}} {file}", path());
    let served = Launch::shell(&command).start(TIMEOUT).and_then(|server| {
        let mut client = server.connect()?;
        for _ in 0..100 {
            client.ask(b"hello\n", "受信しました: hello\n".as_bytes())?;
        }
        Ok(())
    });
    let written = fs::metadata(&log).map_or(0, |metadata| metadata.len());
    let _ = fs::remove_file(&log);
    served?;
    assert_eq!(written, 1_024);
    Ok(())
}

/// Rust's runtime ends a process in which a new thread finds no address space
/// for its signal stack. `man 2 getrlimit`, `RLIMIT_AS`.
#[cfg(target_os = "linux")]
#[test]
fn refuses_clients_for_whom_there_is_no_address_space() -> CaseResult {
    let script = "ulimit -v 49152; exec \"$0\" \"$@\"";
    let launch = Launch::program("sh", &["-c", script]);
    let launch =
        launch.args(&[path(), "--port", "{port}", "--quiet"]).args(options());
    let server = launch.start(TIMEOUT)?;
    let mut clients = server.connect_many(400)?;
    for client in &mut clients {
        // It may be refused, or wait behind one that is served.
        let _ = client.send(b"ping\n");
    }
    clients[0].expect(b"pong\n")?;
    drop(clients);
    server.still_serves()?;
    server.process()?.ends_in_order(Signal::SIGTERM)
}

#[cfg(target_os = "linux")]
#[test]
fn serves_on_and_waits_where_its_limit_falls_below_what_is_open() -> CaseResult
{
    let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let process = server.process()?;
    let pid = process.pid().to_string();
    let limit =
        Command::new("prlimit").args(["--pid", &pid, "--nofile=1:"]).status();
    if !limit.is_ok_and(|status| status.success()) {
        assert!(!in_ci(), "prlimit is missing");
        println!("skipped: needs prlimit");
        return Ok(());
    }
    let mut waiting = server.connect()?;
    waiting.send(b"ping\n")?;
    stays_calm(process, Duration::from_millis(500))?;
    client.ask(b"ping\n", b"pong\n")?;
    // Now step 01 accepts, too.
    drop(client);
    stays_calm(process, Duration::from_millis(300))
}

fn stays_calm(process: &Process, time: Duration) -> CaseResult {
    let (start, before) = (Instant::now(), process.proc().cpu_time()?);
    while start.elapsed() < time {
        sleep(Duration::from_millis(20));
    }
    let used = process.proc().cpu_time()?.saturating_sub(before);
    assert!(used < start.elapsed() / 4, "{used:?}: it spins");
    Ok(())
}

/// To look for idle clients costs next to nothing, and ends with the server.
#[test]
fn stays_calm_with_an_idle_timeout_and_ends_at_a_signal() -> CaseResult {
    let mut targets = steps::targets(server_of_this_step!().0);
    if !targets.any(|target| target.limits.contains(&"--idle-timeout")) {
        return Ok(());
    }
    let args = ["--quiet", "--idle-timeout", "1"];
    let server = launch().args(&args).start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let process = server.process()?;
    stays_calm(process, Duration::from_millis(500))?;
    process.ends_in_order(Signal::SIGTERM)
}

/// A client that has left the accept queue is no reason to pause, nor to say
/// anything. `man 2 accept`, ECONNABORTED.
#[test]
fn takes_the_next_client_where_one_has_left_the_queue() -> CaseResult {
    if let Some(why) = strace_unavailable() {
        assert!(!in_ci(), "{why}");
        println!("skipped: {why}");
        return Ok(());
    }
    let inject = "inject=accept,accept4:error=ECONNABORTED:when=1..3";
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", inject];
    let Some(launch) = started_by("strace", &strace) else { return Ok(()) };
    let server = launch.args(&["--quiet"]).start(TIMEOUT)?;
    server.still_serves()?;
    assert_eq!(server.process()?.stderr.text(), "");
    Ok(())
}

// The end.

/// Each has 64 KiB of empty lines in the kernel, whose log alone would keep a
/// server for long.
#[test]
fn ends_in_time_with_much_to_log() -> CaseResult {
    let server = launch().start(TIMEOUT)?;
    let process = server.process()?;
    let mut clients = server.connect_many(40)?;
    process.stop()?;
    for client in &mut clients {
        client.send(&[b'\n'; 60 << 10])?;
    }
    process.signal(Signal::SIGTERM)?;
    process.signal(Signal::SIGCONT)?;
    process.has_ended_in_order()
}

/// A line has ended where its client has: with its FIN.
#[test]
fn answers_a_last_line_that_came_with_the_end_before_the_signal() -> CaseResult
{
    for has_ended in [true, false] {
        let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
        let process = server.process()?;
        let mut client = server.connect()?;
        client.ask(b"ping\n", b"pong\n")?;
        process.stop()?;
        client.send(b"ping")?;
        if has_ended {
            client.half_close()?;
        }
        client.has_arrived()?;
        process.signal(Signal::SIGTERM)?;
        process.signal(Signal::SIGCONT)?;
        let reply = if has_ended { "pong\n" } else { "" };
        assert_eq!(client.read_to_the_end()?, reply.as_bytes());
        process.has_ended_in_order()?;
    }
    Ok(())
}

/// Its replies are stuck on the way when the signal comes. Then it reads them.
#[test]
fn a_client_that_reads_late_gets_whole_replies() -> CaseResult {
    const HELD: usize = 100 << 10;
    let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
    let process = server.process()?;
    let mut client = server.connect()?;
    let line = [vec![b'z'; 99], vec![b'\n']].concat();
    client.fill(&line.repeat(10), 64 << 20)?;
    process.signal(Signal::SIGTERM)?;
    let replies = client.read_to_the_end()?;
    let reply = ["受信しました: ".as_bytes(), &line].concat();
    assert!(replies.len() > HELD, "{} bytes", replies.len());
    assert_eq!(replies.len() % reply.len(), 0, "the last one is torn");
    assert!(replies.chunks(reply.len()).all(|bytes| bytes == reply));
    process.has_ended_in_order()
}

/// Bytes that come when a connection is closed reset it, and a reset throws
/// away replies that are still on the way.
#[test]
fn a_client_that_sends_on_gets_its_replies() -> CaseResult {
    let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
    let process = server.process()?;
    let mut client = small_window(server.address())?;
    client.ask(b"ping\n", b"pong\n")?;
    process.stop()?;
    client.send(&b"ping\n".repeat(12_000))?;
    let sender = client.send_meanwhile(b"ping\n".repeat(1 << 20))?;
    process.signal(Signal::SIGTERM)?;
    process.signal(Signal::SIGCONT)?;
    // It does not read at once. By then the server has nothing more to say.
    sleep(Duration::from_millis(100));
    let replies = client.read_to_the_end()?;
    drop(client);
    // It fails, since the server has ended.
    let _ = sender.join();
    assert!(replies.len() >= 60_000, "{} bytes", replies.len());
    assert_eq!(replies.len() % 5, 0, "the last one is torn");
    process.has_ended_in_order()
}

/// A client to which no more than some kilobytes can be on the way.
fn small_window(server: SocketAddr) -> Result<Client, CaseError> {
    let (family, kind) = (AddressFamily::Inet, SockType::Stream);
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)
        .map_err(CaseError::of("socket"))?;
    setsockopt(&socket, sockopt::RcvBuf, &4_096)
        .map_err(CaseError::of("setsockopt"))?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server))
        .map_err(CaseError::of("connect"))?;
    Client::over(socket.into(), TIMEOUT)
}

/// The line break that gets off the line of `^C` comes before all else.
#[test]
fn says_that_it_shuts_down_before_it_says_what_ends_with_it() -> CaseResult {
    let server = launch().start(TIMEOUT)?;
    let process = server.process()?;
    let mut client = server.connect()?;
    client.ask(b"ping\n", b"pong\n")?;
    let sent = |text: &str| text.contains("sent: pong\n");
    let before = process.stdout.wait_for(TIMEOUT, sent);
    process.ends_in_order(Signal::SIGINT)?;
    let text = process.stdout.wait_for(TIMEOUT, |_| false);
    let after = &text[before.len()..];
    assert!(after.starts_with("\n[*] received signal 2"), "{after:?}");
    Ok(())
}

/// Beside the replies that a server keeps itself the kernel keeps what it was
/// given, and would take megabytes.
#[cfg(target_os = "linux")]
#[test]
fn the_kernel_holds_little_for_a_client_that_never_reads() -> CaseResult {
    const MOST: u64 = 512 << 10;
    let server = launch().args(&["--quiet"]).start(TIMEOUT)?;
    let mut client = server.connect()?;
    client.fill(&[b'\n'; 4_096], 64 << 20)?;
    let unsent = client.replies_on_the_way()?;
    assert!((1..MOST).contains(&unsent), "{unsent} bytes");
    Ok(())
}
