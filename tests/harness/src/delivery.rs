//! How far what was sent has come: `/proc/net/tcp`, `man 5 proc`.
//!
//! Bytes travel while both programs go on, on loopback too: when `send` and
//! `close` return they need not have arrived. Where the kernel has no such
//! table nothing here waits.

use std::fs;
use std::net::SocketAddr;

use crate::{CaseError, CaseResult, Client, eventually};

impl Client {
    /// Waits until all that was sent, a FIN included, is in the server's
    /// kernel, be it read or not.
    ///
    /// # Errors
    /// It does not arrive.
    pub fn has_arrived(&self) -> CaseResult {
        self.until_none_is_left(|on_the_way, _| on_the_way)
    }

    /// Waits until the server has read all that was sent.
    ///
    /// # Errors
    /// It does not.
    pub fn is_read(&self) -> CaseResult {
        self.until_none_is_left(|on_the_way, unread| on_the_way + unread)
    }

    fn until_none_is_left(&self, left: fn(u64, u64) -> u64) -> CaseResult {
        let peer = self.stream.peer_addr().map_err(CaseError::of("peer"))?;
        let (ours, theirs) = (hexadecimal(self.address()?), hexadecimal(peer));
        // The port alone may be that of connections to others, too.
        let our_end = format!(" {ours} {theirs} ");
        let their_end = format!(" {theirs} {ours} ");
        eventually(self.timeout, || {
            let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
            let (on_the_way, _) = queues(&table, &our_end);
            let (_, unread) = queues(&table, &their_end);
            match left(on_the_way, unread) {
                0 => Ok(()),
                n => Err(CaseError::new(format!("{n} bytes are on their way"))),
            }
        })
    }
}

/// An address as that table writes it. Others than IPv4 stand elsewhere.
fn hexadecimal(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { return String::new() };
    let ip = u32::from_ne_bytes(address.ip().octets());
    format!("{ip:08X}:{:04X}", address.port())
}

/// Of one end of a connection the bytes that the other has not acknowledged (a
/// FIN counts as one), and those that came and were not read.
fn queues(table: &str, end: &str) -> (u64, u64) {
    let line = table.lines().find(|line| line.contains(end));
    line.and_then(|line| line.split_whitespace().nth(4)?.split_once(':'))
        .map(|(unacknowledged, unread)| {
            (number(unacknowledged), number(unread))
        })
        .unwrap_or_default()
}

fn number(digits: &str) -> u64 {
    u64::from_str_radix(digits, 16).unwrap_or(0)
}
