//! A read stops at urgent data, with more behind it: a short read that says
//! nothing about the rest. `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use harness::{Signal, steps};
use nix::sys::socket::{MsgFlags, send};

type Result = std::result::Result<(), Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(5);

fn answers_what_lies_behind_urgent_data(trigger: &str) -> Result {
    let server = steps::launch(env!("CARGO_BIN_EXE_04-epoll"))
        .args(&["--quiet", "--trigger", trigger])
        .start(PATIENCE)?;
    let mut client = TcpStream::connect(server.address())?;
    client.set_read_timeout(Some(PATIENCE))?;
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
fn answers_what_lies_behind_urgent_data_edge_triggered() -> Result {
    answers_what_lies_behind_urgent_data("edge")
}

#[test]
fn answers_what_lies_behind_urgent_data_level_triggered() -> Result {
    answers_what_lies_behind_urgent_data("level")
}
