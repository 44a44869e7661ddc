//! How long it takes from starting a server to its first `pong`: `exec`, the
//! listener, the first line, a connection, a request and its reply.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 21;

fn main() -> io::Result<()> {
    // The servers lie one folder up from the examples.
    let examples = std::env::current_exe()?;
    let server = examples.with_file_name("../04-epoll");
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let mut command = Command::new(&server);
        command.args(["--quiet", "--port", "0"]).stdout(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn()?;
        let time = first_pong(&mut child, start);
        child.kill()?;
        child.wait()?;
        times.push(time?);
    }
    times.sort();
    let (median, longest) = (times[STARTS / 2], times[STARTS - 1]);
    println!("{STARTS} starts: median {median:.1?}, longest {longest:.1?}");
    Ok(())
}

fn first_pong(server: &mut Child, start: Instant) -> io::Result<Duration> {
    let stdout = server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.split_whitespace().last().unwrap_or_default();
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(b"ping\n")?;
    connection.read_exact(&mut [0; 5])?;
    Ok(start.elapsed())
}
