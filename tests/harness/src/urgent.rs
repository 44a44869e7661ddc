//! Urgent data behind a byte that has not arrived.
//!
//! `epoll_wait` and `poll` report EPOLLPRI and POLLPRI as long as that byte is
//! missing, while `recv` says EAGAIN. No client can send so: it takes a raw
//! socket. `man 7 raw`, `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn,
    getsockopt, sendto, setsockopt, socket,
};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

use crate::{CaseError, CaseResult, Client};

sockopt_impl!(
    /// `TCP_REPAIR`, in C an int.
    Repair,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_REPAIR,
    usize
);
sockopt_impl!(
    /// `TCP_REPAIR_QUEUE`, in C an int.
    Queue,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_REPAIR_QUEUE,
    usize
);
sockopt_impl!(
    /// `TCP_QUEUE_SEQ`, in C an int.
    Sequence,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_QUEUE_SEQ,
    usize
);

/// -1: back to normal, and no window probe.
const OFF: usize = usize::MAX;

/// Why no segment can be made here, if none can.
pub(crate) fn unavailable() -> Option<String> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let stream = socket(AddressFamily::Inet, SockType::Stream, flags, None);
    let repaired = stream.and_then(|fd| setsockopt(&fd, Repair, &1));
    let possible = raw_socket().and(repaired);
    possible.err().map(|errno| format!("needs a raw socket: {errno}"))
}

fn raw_socket() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Tcp)
}

/// The numbers that the next segment from `client` would have: its own and the
/// one that it acknowledges. Needs CAP_NET_ADMIN.
fn next_numbers(client: &impl AsFd) -> nix::Result<[u32; 2]> {
    setsockopt(client, Repair, &1)?;
    let numbers = [2, 1].map(|queue| {
        setsockopt(client, Queue, &queue)?;
        Ok(getsockopt(client, Sequence)? as u32)
    });
    setsockopt(client, Repair, &OFF)?;
    let [sent, received] = numbers;
    Ok([sent?, received?])
}

impl Client {
    /// Sends one urgent byte and leaves a gap of one byte before it.
    ///
    /// # Errors
    /// No raw socket is allowed.
    pub fn send_urgent_data_behind_a_gap(&self) -> CaseResult {
        send(&self.stream).map_err(CaseError::of("urgent data behind a gap"))
    }
}

fn send(client: &TcpStream) -> io::Result<()> {
    let (from, to) = (client.local_addr()?, client.peer_addr()?);
    let segment = segment(from, to, next_numbers(client)?);
    let [a, b, c, d] = Ipv4Addr::LOCALHOST.octets();
    let (raw, to) = (raw_socket()?, SockaddrIn::new(a, b, c, d, 0));
    sendto(raw.as_raw_fd(), &segment, &to, MsgFlags::empty())?;
    Ok(())
}

/// A TCP header and one byte. RFC 9293, 3.1.
fn segment(from: SocketAddr, to: SocketAddr, numbers: [u32; 2]) -> Vec<u8> {
    let [sequence, acknowledged] = numbers;
    let mut segment = Vec::new();
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(sequence.wrapping_add(1).to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([5 << 4, 0x38]); // a header of 5 words; URG, ACK, PSH
    segment.extend([2, 0, 0, 0, 0, 1]); // window, checksum, urgent pointer
    segment.push(b'!');
    let sum = checksum(&segment).to_be_bytes();
    segment[16..18].copy_from_slice(&sum);
    segment
}

/// Of the segment and what the IP header says of it: both addresses, the
/// protocol (6), the length. RFC 1071.
fn checksum(segment: &[u8]) -> u16 {
    let local = Ipv4Addr::LOCALHOST.octets();
    let header = [&local[..], &local, &[0, 6, 0, segment.len() as u8]].concat();
    let sum: u32 = header
        .iter()
        .chain(segment)
        .zip([8, 0].iter().cycle())
        .map(|(&byte, shift)| u32::from(byte) << shift)
        .sum();
    let sum = (sum >> 16) + (sum & 0xffff);
    !((sum >> 16) + (sum & 0xffff)) as u16
}
