//! The command line that the servers share.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};
use nix::net::if_::if_nametoindex;

/// Reads an IPv4 or IPv6 address, whose port is 0 here. A link-local one needs
/// its interface, since every interface has the same network `fe80::/10`.
/// `man 7 ipv6`, `sin6_scope_id`.
///
/// # Errors
/// What to type instead, for clap to print.
pub fn host(text: &str) -> Result<SocketAddr, &'static str> {
    let (ip, interface) = text.split_once('%').unwrap_or((text, "0"));
    let scope = interface.parse().or_else(|_| if_nametoindex(interface));
    match (ip.parse(), scope) {
        (Ok(IpAddr::V4(ip)), Ok(0)) => Ok((ip, 0).into()),
        (Ok(IpAddr::V6(ip)), Ok(scope)) => {
            Ok(SocketAddrV6::new(ip, 0, 0, scope).into())
        }
        _ => Err("give an address such as 127.0.0.1, 0.0.0.0 or ::1, or \
                  fe80::1%eth0 with an interface of this machine"),
    }
}

/// Where and how a server listens.
#[derive(Args, Clone, Debug)]
pub struct ListenOptions {
    /// IPv4 or IPv6 address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    #[arg(value_parser = host)]
    pub host: SocketAddr,

    /// Port to listen on; 0 lets the kernel choose one
    #[arg(short, long, value_name = "N", default_value_t = 8888)]
    #[arg(allow_negative_numbers = true)]
    pub port: u16,

    /// Connections that may wait to be accepted: listen(2); the article had 5
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(default_value_t = 4096, value_parser = value_parser!(i32).range(0..))]
    pub backlog: i32,

    /// Print no line per message and per connection
    #[arg(short, long)]
    pub quiet: bool,
}

impl ListenOptions {
    /// The address and port to bind to.
    pub fn address(&self) -> SocketAddr {
        let mut address = self.host;
        address.set_port(self.port);
        address
    }
}

/// How much a server of many clients takes on.
#[derive(Args, Clone, Debug, Default)]
pub struct LimitOptions {
    /// Clients served at a time; others wait until one has left [default: what
    /// the limit on open files allows, see ulimit -n]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_connections: Option<usize>,

    /// Close a client that neither sends nor takes a byte for so long
    /// [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub idle_timeout: Option<Duration>,
}

/// Reads a number of seconds that may have a fraction: `30`, `0.5`.
///
/// # Errors
/// What to type instead, for clap to print.
pub fn seconds(text: &str) -> Result<Duration, &'static str> {
    let number = text.parse().ok().filter(|n| (0.001..=1e9).contains(n));
    let seconds = number.map(Duration::from_secs_f64);
    seconds.ok_or("give seconds from 0.001 to 1000000000, such as 30 or 0.5")
}
