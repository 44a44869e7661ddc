//! The calls that the loop makes, counted by `strace`: none of them is made
//! in vain, and no client's turn is longer than another's.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::fs;

use harness::{
    Launch, Server, Signal, TIMEOUT, in_ci, server_of_this_step,
    strace_unavailable,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What `talk` makes the server call, in order; `None` without `strace`.
fn calls_during(
    name: &str,
    talk: impl FnOnce(&Server) -> Result<()>,
) -> Result<Option<Vec<String>>> {
    if let Some(why) = strace_unavailable() {
        assert!(!in_ci(), "{why}");
        println!("skipped: {why}");
        return Ok(None);
    }
    let id = std::process::id();
    let file = std::env::temp_dir().join(format!("calls-{name}-{id}"));
    let output = file.to_string_lossy();
    let calls = "trace=epoll_wait,accept4,recvfrom,sendto";
    let strace = ["-qq", "-e", "signal=none", "-o", &output, "-e", calls];
    let server = Launch::program("strace", &strace)
        .args(&[server_of_this_step!().1, "--quiet", "--port", "{port}"])
        .start(TIMEOUT)?;
    // Nothing is left to do for the clients before.
    server.still_serves()?;
    let before = fs::read_to_string(&file)?.lines().count();
    talk(&server)?;
    server.process()?.ends_in_order(Signal::SIGTERM)?;
    let text = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    Ok(Some(text.lines().skip(before).map(String::from).collect()))
}

fn count(calls: &[String], name: &str) -> usize {
    calls.iter().filter(|call| call.starts_with(name)).count()
}

#[test]
fn a_request_is_one_read_and_one_write() -> Result<()> {
    const REQUESTS: usize = 100;
    let calls = calls_during("request", |server| {
        let mut client = server.connect()?;
        for _ in 0..REQUESTS {
            client.ask(b"ping\n", b"pong\n")?;
        }
        client.half_close()?;
        Ok(client.expect_end()?)
    })?;
    let Some(calls) = calls else { return Ok(()) };
    assert_eq!(count(&calls, "sendto("), REQUESTS, "{calls:#?}");
    // The FIN of this client, and perhaps that of the one before.
    let ends = count(&calls, "recvfrom(").saturating_sub(REQUESTS);
    assert!((1..=2).contains(&ends), "{calls:#?}");
    // The client, and that there is no other.
    assert_eq!(count(&calls, "accept4("), 2, "{calls:#?}");
    Ok(())
}

#[test]
fn clients_that_are_ready_at_once_share_the_reads_of_a_turn() -> Result<()> {
    const CLIENTS: usize = 4;
    let calls = calls_during("turn", |server| {
        let mut clients = server.connect_many(CLIENTS)?;
        for client in &mut clients {
            client.ask(b"ping\n", b"pong\n")?;
        }
        server.process()?.stop()?;
        // 8 reads each. A turn has 16 for all of them.
        let line = [&[b'x'; 1_000][..], b"\n"].concat();
        for client in &mut clients {
            client.send(&line.repeat(16))?;
        }
        server.process()?.signal(Signal::SIGCONT)?;
        let reply = ["受信しました: ".as_bytes(), &line].concat();
        for client in &mut clients {
            client.expect(&reply.repeat(16))?;
        }
        Ok(())
    })?;
    let Some(calls) = calls else { return Ok(()) };
    let first = calls.iter().position(|call| call.ends_with(" = 2048"));
    let turn = calls[first.unwrap_or_default()..]
        .split(|call| call.starts_with("epoll_wait("))
        .next()
        .unwrap_or_default();
    assert_eq!(count(turn, "recvfrom("), 16, "{turn:#?}");
    Ok(())
}
