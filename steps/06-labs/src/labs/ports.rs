//! What helps a client out of ports?
//!
//! Each connection takes a port of the client's (an ephemeral port), and who
//! closes first keeps it in TIME_WAIT for a minute. Here is a client with a
//! hundred ports instead of 28,232, and all that people say would help it.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use blocking::recv;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrStorage, bind,
    connect, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use serde::Serialize;

use crate::client::ask;
use crate::network::{renew, set};
use crate::page::{Page, Row};
use crate::resets::ResetCounter;
use crate::trouble::Trouble;

/// A hundred ports.
const RANGE: &str = "40000 40099";
/// As many requests as a client makes before we say that it can go on.
const ENOUGH: usize = 500;
/// After so long `tcp_tw_reuse` allows a port to be used again.
const LATER: Duration = Duration::from_millis(1_100);

/// What a client does, and where.
// ANCHOR: way
#[derive(Clone, Copy, Default)]
struct Way {
    name: &'static str,
    /// Allowed; then we try again after [`LATER`].
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

fn ways() -> [Way; 11] {
    let way = |name| Way { name, destinations: 1, ..Way::default() };
    [
        way("the client closes first"),
        Way { reuse_address: true, ..way("+ SO_REUSEADDR (the article)") },
        Way { reuse_address: true, sources: 1, ..way("+ that and bind") },
        Way { sources: 3, ..way("3 source addresses") },
        Way { destinations: 2, ..way("2 destination ports") },
        Way { tw_reuse: true, ..way("tcp_tw_reuse=2") },
        Way { sources: 1, tw_reuse: true, ..way("+ bind") },
        Way {
            sources: 1,
            tw_reuse: true,
            no_port: true,
            ..way("+ that and IP_BIND_ADDRESS_NO_PORT")
        },
        Way { reset: true, ..way("SO_LINGER 0: reset, not close") },
        Way { server_closes: true, ..way("the server closes first") },
        Way { keep: true, ..way("one connection kept") },
    ]
}
// ANCHOR_END: way

#[derive(Debug, Serialize)]
struct Seen {
    client: &'static str,
    /// Requests until the first failure, and its errno.
    at_once: usize,
    error: Option<String>,
    /// The same, [`LATER`].
    a_second_later: Option<usize>,
    /// Connections that the server saw end with ECONNRESET.
    resets: usize,
}

impl Row for Seen {
    const HEADINGS: &'static [&'static str] =
        &["client", "requests", "then", "1 s later", "server's resets"];

    fn cells(&self) -> Vec<String> {
        let all = if self.at_once == ENOUGH { "all " } else { "" };
        vec![
            self.client.into(),
            format!("{all}{}", self.at_once),
            self.error.clone().unwrap_or_else(|| "–".into()),
            self.a_second_later.map_or("–".into(), |n| n.to_string()),
            self.resets.to_string(),
        ]
    }
}

/// Every way in a network of its own, where no port is taken yet.
pub(crate) fn run(page: &mut Page<'_>) -> Result<(), Trouble> {
    page.say(format!(
        "A client with a hundred ports (net.ipv4.ip_local_port_range = \
         {RANGE})\nmakes one request after the other, each over its own \
         connection, until one fails\nor {ENOUGH} are done. Each line in a \
         new network.\n"
    ));
    let mut rows = Vec::new();
    for way in ways() {
        let seen = try_out(way)?;
        page.say(format!("  {}: {}", way.name, seen.at_once));
        rows.push(seen);
    }
    page.table(&rows);
    page.answer(verdict(&rows));
    Ok(())
}

// ANCHOR: try_out
fn try_out(way: Way) -> Result<Seen, Trouble> {
    renew()?;
    set("ip_local_port_range", RANGE)?;
    set("tcp_tw_reuse", if way.tw_reuse { "2" } else { "0" })?;
    let servers = (0..way.destinations)
        .map(|number| ResetCounter::start(8_888 + number, way.server_closes))
        .collect::<Result<Vec<_>, _>>()?;
    let (at_once, error) = until_failure(way, &servers);
    let a_second_later = way.tw_reuse.then(|| {
        thread::sleep(LATER);
        until_failure(way, &servers).0
    });
    let resets = servers.into_iter().map(ResetCounter::resets).sum();
    let error = error.map(|errno| format!("{errno:?}"));
    Ok(Seen { client: way.name, at_once, error, a_second_later, resets })
}

fn until_failure(way: Way, servers: &[ResetCounter]) -> (usize, Option<Errno>) {
    let mut kept = None;
    for number in 0..ENOUGH {
        let stream = match kept.take() {
            Some(stream) => Ok(stream),
            None => open(way, number, servers[number % servers.len()].address),
        };
        match stream.and_then(|stream| request(way, stream)) {
            Ok(stream) => kept = stream,
            Err(errno) => return (number, Some(errno)),
        }
    }
    (ENOUGH, None)
}
// ANCHOR_END: try_out

// ANCHOR: open
fn open(way: Way, number: usize, to: SocketAddr) -> nix::Result<TcpStream> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(5))?;
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
    Ok(socket.into())
}

fn request(way: Way, stream: TcpStream) -> nix::Result<Option<TcpStream>> {
    let errno = |error: std::io::Error| {
        Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
    };
    ask(&stream).map_err(errno)?;
    if way.server_closes {
        // Its FIN first, and only then ours.
        recv(&stream, &mut [0; 1]).map_err(errno)?;
    }
    Ok(way.keep.then_some(stream))
}
// ANCHOR_END: open

fn verdict(rows: &[Seen]) -> String {
    let at_once = |name: &str| {
        let row = rows.iter().find(|row| row.client.contains(name));
        row.map_or(0, |row| row.at_once)
    };
    let plain = at_once("the client closes first");
    let first = match at_once("the article") {
        n if n <= plain => format!(
            "SO_REUSEADDR does not help a client: {n} requests with it, \
             {plain} without."
        ),
        n => format!(
            "Here SO_REUSEADDR did help: {n} requests with it, {plain} without."
        ),
    };
    let helpers: Vec<_> = rows
        .iter()
        .filter(|row| row.at_once > plain)
        .map(|row| format!("{} ({})", row.client, row.at_once))
        .collect();
    format!("{first} What went further at once: {}.", helpers.join(", "))
}
