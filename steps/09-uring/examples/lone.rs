//! How long one client waits for a reply beside 999 that are silent: `lone
//! PORT`, with a server on that port.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

const SILENT: usize = 999;
const REQUESTS: usize = 50_000;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let Some(port): Option<u16> = port else {
        return Err(io::Error::other("give a port: lone 8888"));
    };
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        let mut client = connect()?;
        ask(&mut client)?; // so it is served, and then says no more
        silent.push(client);
    }
    let mut client = connect()?;
    let latencies: io::Result<Vec<_>> =
        (0..REQUESTS).map(|_| ask(&mut client)).collect();
    let mut latencies = latencies?;
    latencies.sort();
    let [median, p99] = [REQUESTS / 2, REQUESTS / 100 * 99]
        .map(|index| latencies[index].as_nanos() as f64 / 1e3);
    println!("p50 {median:.1} us, p99 {p99:.1} us");
    Ok(())
}

/// Sends `ping`, waits for the reply, and says how long that took.
fn ask(client: &mut TcpStream) -> io::Result<Duration> {
    let start = Instant::now();
    client.write_all(b"ping\n")?;
    client.read_exact(&mut [0; 5])?;
    Ok(start.elapsed())
}
