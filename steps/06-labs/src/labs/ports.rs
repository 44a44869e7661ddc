//! What helps a client out of ports?
//!
//! Each connection takes a port of the client's (an ephemeral port), and who
//! closes first keeps it in TIME_WAIT for a minute. Here is a client with a
//! hundred ports instead of 28,232, and all that people say would help it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use blocking::recv;
use nix::errno::Errno;
use nix::sys::socket::{
    SockaddrIn, SockaddrStorage, bind, connect, setsockopt, sockopt,
};
use serde::Serialize;

use crate::client::{ask, socket};
use crate::network::{renew, set};
use crate::report::Report;
use crate::resets::ResetCounter;

/// A hundred ports.
const RANGE: &str = "40000 40099";
/// As many requests as a client makes before we say that it can go on.
const MAX_REQUESTS: usize = 500;
/// After so long `tcp_tw_reuse` allows a port to be used again.
const TIME_WAIT_REUSE: Duration = Duration::from_millis(1_100);

/// What a client does, and where.
#[derive(Clone, Copy, Default)]
struct Strategy {
    name: &'static str,
    /// Allowed; then we try again after [`TIME_WAIT_REUSE`].
    tw_reuse: bool,
    /// `SO_REUSEADDR`: the article's advice.
    reuse_address: bool,
    /// `bind(127.0.0.1, 0)`, `bind(127.0.0.2, 0)`, and so on.
    sources: u8,
    /// `IP_BIND_ADDRESS_NO_PORT`: leave the port to `connect`.
    no_port: bool,
    /// Server ports.
    destinations: u16,
    /// `SO_LINGER` with 0 seconds: `close` sends a reset.
    reset: bool,
    server_closes: bool,
    keep: bool,
}

fn ways() -> [Strategy; 11] {
    let way = |name| Strategy { name, destinations: 1, ..Strategy::default() };
    let bound = |name| Strategy { sources: 1, tw_reuse: true, ..way(name) };
    [
        way("the client closes first"),
        Strategy { reuse_address: true, ..way("+ SO_REUSEADDR (the article)") },
        Strategy { reuse_address: true, sources: 1, ..way("+ that and bind") },
        Strategy { sources: 3, ..way("3 source addresses") },
        Strategy { destinations: 2, ..way("2 destination ports") },
        Strategy { tw_reuse: true, ..way("tcp_tw_reuse=2") },
        bound("+ bind"),
        Strategy { no_port: true, ..bound("+ that, IP_BIND_ADDRESS_NO_PORT") },
        Strategy { reset: true, ..way("SO_LINGER 0: reset, not close") },
        Strategy { server_closes: true, ..way("the server closes first") },
        Strategy { keep: true, ..way("one connection kept") },
    ]
}

#[derive(Debug, Serialize)]
struct Row {
    client: &'static str,
    /// Requests until the first failure, and its errno.
    at_once: usize,
    error: Option<String>,
    /// The same, [`TIME_WAIT_REUSE`] later.
    a_second_later: Option<usize>,
    /// Connections that the server saw end with ECONNRESET.
    resets: usize,
}

/// Every way in a network of its own, where no port is taken yet.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "A client with a hundred ports (net.ipv4.ip_local_port_range = \
         {RANGE})\nmakes one request after the other, each over its own \
         connection, until one fails\nor {MAX_REQUESTS} are done. Each line in a \
         new network.\n"
    ));
    let mut rows = Vec::new();
    for way in ways() {
        let seen = try_strategy(way)?;
        report.line(format!("  {}: {}", way.name, seen.at_once));
        rows.push(seen);
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn try_strategy(way: Strategy) -> Result<Row> {
    renew()?;
    set("ip_local_port_range", RANGE)?;
    set("tcp_tw_reuse", if way.tw_reuse { "2" } else { "0" })?;
    let servers = (0..way.destinations)
        .map(|number| ResetCounter::start(8_888 + number, way.server_closes))
        .collect::<Result<Vec<_>, _>>()?;
    let (at_once, error) = until_failure(way, &servers);
    let a_second_later = way.tw_reuse.then(|| {
        thread::sleep(TIME_WAIT_REUSE);
        until_failure(way, &servers).0
    });
    let resets = servers.into_iter().map(ResetCounter::resets).sum();
    let errno = error.and_then(|error| error.raw_os_error());
    let error = errno.map(|errno| format!("{:?}", Errno::from_raw(errno)));
    Ok(Row { client: way.name, at_once, error, a_second_later, resets })
}

fn until_failure(
    way: Strategy,
    servers: &[ResetCounter],
) -> (usize, Option<io::Error>) {
    let mut kept = None;
    for number in 0..MAX_REQUESTS {
        let server = servers[number % servers.len()].address;
        let stream = kept.take().map_or_else(|| open(way, number, server), Ok);
        match stream.and_then(|stream| request(way, stream)) {
            Ok(stream) => kept = stream,
            Err(error) => return (number, Some(error)),
        }
    }
    (MAX_REQUESTS, None)
}

fn open(way: Strategy, number: usize, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(to)?;
    if way.reuse_address {
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    if way.no_port {
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    }
    if way.sources > 0 {
        let host = 1 + (number % usize::from(way.sources)) as u8;
        let source = SockaddrIn::new(127, 0, 0, host, 0);
        bind(socket.as_raw_fd(), &source)?;
    }
    connect(socket.as_raw_fd(), &SockaddrStorage::from(to))?;
    if way.reset {
        let no_farewell = libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&socket, sockopt::Linger, &no_farewell)?;
    }
    Ok(socket)
}

fn request(way: Strategy, stream: TcpStream) -> io::Result<Option<TcpStream>> {
    ask(&stream)?;
    if way.server_closes {
        // Its FIN first, and only then ours.
        recv(&stream, &mut [0; 1])?;
    }
    Ok(way.keep.then_some(stream))
}

fn verdict(rows: &[Row]) -> String {
    let [plain, reuse, ..] = rows else { return String::new() };
    let (with, without) = (reuse.at_once, plain.at_once);
    let helps = if with > without { "helped" } else { "did not help" };
    let further = rows.iter().filter(|row| row.at_once > without);
    let named = |row: &Row| format!("{} ({})", row.client, row.at_once);
    let further: Vec<_> = further.map(named).collect();
    let further = match further[..] {
        [] => "nothing".into(),
        _ => further.join(", "),
    };
    format!(
        "SO_REUSEADDR {helps} the client: {with} requests with it, {without} \
         without. What went further at once: {further}."
    )
}
