//! A read stops at urgent data, with more behind it: a short read that says
//! nothing about the rest. `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use harness::{CaseError, Server, Signal, server_of_this_step, steps};
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
