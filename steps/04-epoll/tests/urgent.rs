//! A read stops at urgent data, with more behind it: a short read that says
//! nothing about the rest. `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread::sleep;
use std::time::Duration;

use harness::{
    CaseError, Server, Signal, poll_until, server_of_this_step, steps,
};
use nix::sys::socket::{MsgFlags, send};

type Result = std::result::Result<(), Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The step's server, in each of its modes.
fn servers() -> impl Iterator<Item = std::result::Result<Server, CaseError>> {
    let (name, path) = server_of_this_step!();
    steps::runnable(name)
        .map(|target| target.launch(path).args(&["--quiet"]).start(TIMEOUT))
}

#[test]
fn answers_what_lies_behind_urgent_data() -> Result {
    servers().try_for_each(|server| answers_behind_urgent_data(&server?))
}

fn answers_behind_urgent_data(server: &Server) -> Result {
    let mut client = TcpStream::connect(server.address())?;
    client.set_read_timeout(Some(TIMEOUT))?;
    client.write_all(b"ping\n")?;
    client.read_exact(&mut [0; 5])?;
    // All of it must lie there before the server reads.
    server.process()?.stop()?;
    client.write_all(b"ping\n")?;
    send(client.as_raw_fd(), b"!", MsgFlags::MSG_OOB)?;
    client.write_all(b"ping\n")?;
    server.process()?.signal(Signal::SIGCONT)?;
    let mut replies = [0; 10];
    client.read_exact(&mut replies)?;
    assert_eq!(&replies, b"pong\npong\n");
    Ok(())
}

#[test]
fn stays_calm_with_urgent_data_of_a_client_that_does_not_read() -> Result {
    servers().try_for_each(|server| stays_calm_with_urgent_data(&server?))
}

fn stays_calm_with_urgent_data(server: &Server) -> Result {
    // More replies than the buffers take: the server does not read to the end.
    let empty_lines = [b'\n'; 23_000];
    let mut client = TcpStream::connect(server.address())?;
    client.write_all(&empty_lines)?;
    is_calm(server)?;
    send(client.as_raw_fd(), b"!", MsgFlags::MSG_OOB)?;
    // It has arrived when another client, which came later, is served.
    server.still_serves()?;
    is_calm(server)
}

/// A server that spins is never seen to do nothing for so long.
fn is_calm(server: &Server) -> Result {
    const WHILE: Duration = Duration::from_millis(100);
    let process = server.process()?.proc();
    let is_calm = poll_until(TIMEOUT, || {
        let before = process.cpu_time()?;
        sleep(WHILE);
        let used = process.cpu_time()?.saturating_sub(before);
        let is_calm = used < WHILE / 10 && !process.wants_to_run();
        Ok(is_calm.then_some(()))
    })?;
    Ok(is_calm.ok_or("it spins")?)
}
