//! TCP's sockets: which listen, and what is on its way. `/proc/net/tcp`.

use std::net::SocketAddr;

use super::{Proc, text};

/// A line of the table.
struct Row {
    ours: String,
    peer: String,
    state: String,
    /// Sent and not acknowledged: a FIN counts as one.
    unacknowledged: u64,
    /// Received and not read.
    unread: u64,
    inode: String,
}

const LISTEN: &str = " 0A ";

/// The lines of the table that contain `part`: of connections that have ended a
/// minute ago there may be thousands.
fn rows(version: &str, part: &str) -> Vec<Row> {
    let table = text(format!("/proc/net/tcp{version}"));
    let lines = table.lines().skip(1).filter(|line| line.contains(part));
    lines.filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (unacknowledged, unread) = fields.get(4)?.split_once(':')?;
    let number = |digits| u64::from_str_radix(digits, 16).unwrap_or(0);
    Some(Row {
        ours: (*fields.get(1)?).into(),
        peer: (*fields.get(2)?).into(),
        state: (*fields.get(3)?).into(),
        unacknowledged: number(unacknowledged),
        unread: number(unread),
        inode: (*fields.get(9)?).into(),
    })
}

impl Row {
    fn port(&self) -> Option<u16> {
        let (_, port) = self.ours.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    }
}

fn listeners() -> impl Iterator<Item = Row> {
    let all = rows("", LISTEN).into_iter().chain(rows("6", LISTEN));
    all.filter(|row| row.state == LISTEN.trim())
}

/// The inodes of the sockets that listen on `port`.
pub(super) fn listening_on(port: u16) -> Vec<String> {
    let rows = listeners().filter(|row| row.port() == Some(port));
    rows.map(|row| row.inode).collect()
}

/// The ports on which the processes of `group` listen.
pub(crate) fn listening_ports(group: nix::unistd::Pid) -> Vec<u16> {
    let theirs: Vec<_> =
        Proc::in_group(group).flat_map(Proc::sockets).collect();
    let rows = listeners().filter(|row| theirs.contains(&row.inode));
    let mut ports: Vec<_> = rows.filter_map(|row| row.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// How far what was sent on one connection has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Queues {
    /// Bytes that the peer's kernel has not acknowledged, a FIN included.
    pub(crate) on_the_way: u64,
    /// Bytes that the peer has not read.
    pub(crate) unread: u64,
}

impl Queues {
    /// From `ours` to `peer`. All nothing where there is no such table.
    pub(crate) fn between(ours: SocketAddr, peer: SocketAddr) -> Self {
        let (ours, peer) = (hexadecimal(ours), hexadecimal(peer));
        let mut queues = Self::default();
        for row in rows("", &peer) {
            if row.ours == ours && row.peer == peer {
                queues.on_the_way = row.unacknowledged;
            } else if row.ours == peer && row.peer == ours {
                queues.unread = row.unread;
            }
        }
        queues
    }
}

/// Whether all that was sent to `port` has arrived: no client's end has bytes
/// that are not acknowledged.
#[must_use]
pub fn nothing_on_the_way_to(port: u16) -> bool {
    let to_it = format!(":{port:04X}");
    let mut clients =
        rows("", &to_it).into_iter().filter(|row| row.peer.ends_with(&to_it));
    clients.all(|client| client.unacknowledged == 0)
}

/// An address as that table writes it. Others than IPv4 stand elsewhere.
fn hexadecimal(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { return String::new() };
    let ip = u32::from_ne_bytes(address.ip().octets());
    format!("{ip:08X}:{:04X}", address.port())
}
