//! The command line: how much load, of which kind, and on which server.
//!
//! The article reads its one argument with `atoi`, which takes `1e4` for 1 and
//! `abc` for 0 and says nothing. Here a number that cannot be used is an error
//! that names it, before the first request is made.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use protocol::host;

/// More requests than that would take months.
const MAX_REQUESTS: u64 = 1_000_000_000_000;
/// Past some 13,000 a process runs out of mappings of memory, and Rust's runtime
/// ends it: see step 02, `limits.rs`.
const MAX_THREADS: u64 = 10_000;

/// Sends "ping" over and over, checks each reply, and says how fast that went
#[derive(Clone, Debug, Parser)]
#[command(name = "03-load-client", version)]
pub struct Options {
    /// Requests to make, by all threads together
    #[arg(value_name = "TOTAL_REQUESTS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MAX_REQUESTS))]
    pub total: u64,

    /// Threads that make them, each one request at a time
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MAX_THREADS))]
    pub threads: u64,

    /// IPv4 or IPv6 address of the server
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    #[arg(value_parser = host)]
    pub host: SocketAddr,

    /// Port of the server
    #[arg(short, long, value_name = "N", default_value_t = 8888)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,

    /// Keep one connection per thread, instead of a new one for each request
    #[arg(long)]
    pub keep_alive: bool,

    /// Requests per second, on a fixed schedule: latency counts from when a
    /// request was due [default: as fast as the replies come]
    #[arg(long, value_name = "R", value_parser = number)]
    pub rate: Option<f64>,

    /// How long one request may take, from connect to the whole reply
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    #[arg(value_parser = protocol::seconds)]
    pub timeout: Duration,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// The server's address and port.
    pub fn address(&self) -> SocketAddr {
        let mut address = self.host;
        address.set_port(self.port);
        address
    }

    /// The number of threads: no more than there are requests.
    pub fn workers(&self) -> u64 {
        self.total.min(self.threads)
    }
}

/// Reads a rate that may have a fraction, and whose times can be added up.
fn number(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|n| (0.001..=1e9).contains(n));
    number.ok_or("give a number from 0.001 to 1000000000")
}
