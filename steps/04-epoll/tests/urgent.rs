//! A read stops at urgent data, with more behind it: a short read that says
//! nothing about the rest. `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::Pid;

type Result = std::result::Result<(), Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(5);

/// A server that does not outlive its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Sends a signal that stops the process or lets it go on, and waits until
    /// it is in that state.
    fn signal(&self, signal: Signal) -> Result {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal)?;
        let status = format!("/proc/{}/status", self.0.id());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let stopped = fs::read_to_string(&status)?.contains("State:\tT");
            if stopped == (signal == Signal::SIGSTOP) {
                return Ok(());
            }
            thread::yield_now();
        }
        Err("the signal was not heard".into())
    }
}

fn answers_what_lies_behind_urgent_data(trigger: &str) -> Result {
    let mut command = Command::new(env!("CARGO_BIN_EXE_04-epoll"));
    command.args(["--port", "0", "--quiet", "--trigger", trigger]);
    command.env("LC_ALL", "C").stdout(Stdio::piped());
    let mut server = Server(command.spawn()?);
    let stdout = server.0.stdout.take().ok_or("no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().rsplit(' ').next().unwrap_or_default();

    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.write_all(b"ping\n")?;
    client.read_exact(&mut [0; 5])?;
    // All of it must lie there before the server reads.
    server.signal(Signal::SIGSTOP)?;
    client.write_all(b"ping\n")?;
    send(client.as_raw_fd(), b"!", MsgFlags::MSG_OOB)?;
    client.write_all(b"ping\n")?;
    server.signal(Signal::SIGCONT)?;
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
