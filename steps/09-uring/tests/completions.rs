//! What completions bring that calls do not: errors of operations in flight,
//! and buffers that the kernel still reads.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Launch, Server, Signal, eventually, steps};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(20);
/// A client is stuck when the server takes nothing from it for so long.
const STUCK: Duration = Duration::from_millis(300);
const ECHO: &str = "受信しました: ";

/// The step's server with these options; `None` where it cannot run.
fn start(options: &[&str]) -> Result<Option<Server>> {
    let path = env!("CARGO_BIN_EXE_09-uring");
    if !steps::can_run("09-uring") {
        return Ok(None);
    }
    let launch = steps::launch(path).args(&["--quiet"]).args(options);
    Ok(Some(launch.start(TIMEOUT)?))
}

/// A line of this byte that, with its newline, has 1,000 bytes.
fn line(byte: u8) -> Vec<u8> {
    [&[byte; 999], &b"\n"[..]].concat()
}

fn echo(line: &[u8]) -> Vec<u8> {
    [ECHO.as_bytes(), line].concat()
}

/// A client that has sent so many whole lines and read nothing: a send to it
/// is in flight, and stays so.
fn stuck(server: &Server) -> Result<(TcpStream, usize)> {
    let mut client = TcpStream::connect(server.address())?;
    client.set_write_timeout(Some(STUCK))?;
    let (lines, mut sent) = (line(b'a').repeat(100), 0);
    while let Ok(count) = client.write(&lines[sent % lines.len()..]) {
        sent += count;
    }
    Ok((client, sent / 1_000))
}

/// Two clients, of which one does not read while the other is answered. Says
/// which line of the first comes back wrong.
fn wrong_reply(server: &Server) -> Result<Option<Vec<u8>>> {
    let (client, count) = stuck(server)?;
    let mut other = server.connect()?;
    for _ in 0..10 {
        let reply = echo(&line(b'b')).repeat(2);
        other.ask(&line(b'b').repeat(2), &reply)?;
    }
    client.set_read_timeout(Some(TIMEOUT))?;
    let (mut reader, right) = (BufReader::new(client), echo(&line(b'a')));
    for _ in 0..count {
        let mut reply = Vec::new();
        reader.read_until(b'\n', &mut reply)?;
        if reply != right {
            return Ok(Some(reply));
        }
    }
    Ok(None)
}

#[test]
fn replies_in_flight_are_no_other_clients() -> Result<()> {
    let Some(server) = start(&[])? else { return Ok(()) };
    assert_eq!(wrong_reply(&server)?, None);
    Ok(())
}

/// The test above finds the mistake where it is made.
#[test]
fn a_buffer_used_anew_gives_a_client_the_bytes_of_another() -> Result<()> {
    let folder = Path::new(env!("CARGO_BIN_EXE_09-uring")).parent();
    let program = folder.map(|f| f.join("examples/shared_outbox"));
    let (Some(_), Some(program)) = (start(&[])?, program) else {
        return Ok(());
    };
    if !program.exists() {
        assert!(!harness::in_ci(), "the example is not built");
        eprintln!("skipped: the example is not built");
        return Ok(());
    }
    let server = Launch::program(program, &["{port}"]).start(TIMEOUT)?;
    let reply = wrong_reply(&server)?.ok_or("every reply was right")?;
    assert!(reply.contains(&b'b'), "{}", String::from_utf8_lossy(&reply));
    Ok(())
}

/// More than there are buffers in the ring, and each takes four: ENOBUFS.
#[test]
fn answers_more_clients_at_once_than_it_has_buffers() -> Result<()> {
    let Some(server) = start(&[])? else { return Ok(()) };
    let count = harness::room_for(4_200).saturating_sub(200).min(4_000);
    let mut clients = server.connect_many(count)?;
    server.process()?.stop()?;
    for client in &mut clients {
        client.send(&line(b'c'))?;
    }
    server.process()?.signal(Signal::SIGCONT)?;
    for client in &mut clients {
        client.expect(&echo(&line(b'c')))?;
    }
    Ok(())
}

#[test]
fn gives_back_the_descriptor_of_a_client_that_resets_while_it_is_sent_to()
-> Result<()> {
    let Some(server) = start(&[])? else { return Ok(()) };
    let process = server.process()?.proc();
    server.still_serves()?;
    let before = process.descriptors()?;
    for _ in 0..4 {
        // With unread bytes: a reset.
        drop(stuck(&server)?);
    }
    eventually(TIMEOUT, || match process.descriptors()? {
        now if now <= before => Ok(()),
        now => Err(harness::CaseError::new(format!("{now} of {before}"))),
    })?;
    Ok(server.still_serves()?)
}

/// An accept in flight takes the whole queue, until it fails with EMFILE. That
/// is no error where the server has as many clients as it may.
#[test]
fn says_nothing_of_clients_that_it_has_no_room_for() -> Result<()> {
    const LIMIT: usize = 64;
    if start(&[])?.is_none() {
        return Ok(());
    }
    let script = format!("ulimit -n {LIMIT}; exec \"$0\" \"$@\"");
    let path = env!("CARGO_BIN_EXE_09-uring");
    let launch = Launch::program("sh", &["-c", &script, path, "--quiet"]);
    let server = launch.args(&["--port", "{port}"]).start(TIMEOUT)?;
    let process = server.process()?;
    process.stop()?;
    let mut clients = server.connect_many(2 * LIMIT)?;
    process.signal(Signal::SIGCONT)?;
    eventually(TIMEOUT, || match process.proc().descriptors()? {
        LIMIT.. => Ok(()),
        now => Err(harness::CaseError::new(format!("{now} of {LIMIT}"))),
    })?;
    while !clients.is_empty() {
        clients[0].ask(b"ping\n", b"pong\n")?;
        clients.remove(0);
    }
    assert_eq!(process.stderr.text(), "");
    Ok(())
}

/// A send that never ends by itself ends with the connection: EPIPE.
#[test]
fn gives_back_the_descriptor_of_a_client_that_it_ends_while_it_is_sent_to()
-> Result<()> {
    let Some(server) = start(&["--idle-timeout", "0.5"])? else {
        return Ok(());
    };
    let process = server.process()?.proc();
    server.still_serves()?;
    let before = process.descriptors()?;
    let clients = [stuck(&server)?, stuck(&server)?];
    eventually(TIMEOUT, || match process.descriptors()? {
        now if now <= before => Ok(()),
        now => Err(harness::CaseError::new(format!("{now} of {before}"))),
    })?;
    drop(clients);
    Ok(server.still_serves()?)
}

/// The step's server that waits for batches for so many microseconds; `None`
/// before Linux 6.12.
fn start_with_batches(min_wait: &str) -> Result<Option<Server>> {
    if !steps::can_run("09-uring") {
        return Ok(None);
    }
    if !io_uring::IoUring::new(8)?.params().is_feature_min_timeout() {
        eprintln!("skipped: needs Linux 6.12");
        return Ok(None);
    }
    start(&["--min-wait", min_wait])
}

/// Were it to wait for others, each request would take a tenth of a second.
#[test]
fn does_not_let_a_client_wait_that_is_alone() -> Result<()> {
    let Some(server) = start_with_batches("100000")? else { return Ok(()) };
    let _silent = server.connect_many(100)?;
    let (mut client, start) = (server.connect()?, Instant::now());
    for _ in 0..200 {
        client.ask(b"ping\n", b"pong\n")?;
    }
    assert!(start.elapsed() < TIMEOUT / 2, "{:?}", start.elapsed());
    Ok(())
}

#[test]
fn answers_all_where_it_waits_for_a_batch() -> Result<()> {
    let Some(server) = start_with_batches("1000")? else { return Ok(()) };
    let mut clients = server.connect_many(100)?;
    for _ in 0..20 {
        for client in &mut clients {
            client.send(b"ping\n")?;
        }
        for client in &mut clients {
            client.expect(b"pong\n")?;
        }
    }
    Ok(())
}
