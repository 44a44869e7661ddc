//! A port for a server that cannot choose one itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket,
};

use crate::CaseError;

/// Below those that the kernel gives to clients and to `--port 0`.
/// `man 7 ip`, `ip_local_port_range`.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port that was free, and that no other test takes while this value lives:
/// a test that connects to its server must not reach that of another.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    number: u16,
    /// An abstract name belongs to one socket of a network namespace, as a port
    /// does, and is free again when its process ends. `man 7 unix`.
    _lock: UnixListener,
}

impl ReservedPort {
    pub(crate) fn new() -> Result<Self, CaseError> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Processes begin at different places, and do not wait for each other.
        let start = process::id().wrapping_mul(7_919);
        (0..COUNT)
            .map(|_| u32::from(NEXT.fetch_add(1, Ordering::Relaxed)))
            .map(|nth| start.wrapping_add(nth) % u32::from(COUNT))
            .filter_map(|offset| u16::try_from(offset).ok())
            .find_map(|offset| Self::take(FIRST + offset))
            .ok_or_else(|| CaseError::new("no free port"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    fn take(number: u16) -> Option<Self> {
        let name = format!("ping-pong test server on port {number}");
        let name = UnixAddress::from_abstract_name(name).ok()?;
        let lock = UnixListener::bind_addr(&name).ok()?;
        is_free(number).then_some(Self { number, _lock: lock })
    }
}

/// Whether a socket can be bound to it. It never listens: a test that waits for
/// its server would take it for that server.
fn is_free(port: u16) -> bool {
    let address = SockaddrIn::new(127, 0, 0, 1, port);
    socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .and_then(|socket| bind(socket.as_raw_fd(), &address))
        .is_ok()
}
