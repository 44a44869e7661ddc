//! A read stops at urgent data, with more behind it: a short read that says
//! nothing about the rest. `man 7 tcp`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use harness::{CaseError, Server, Signal, server_of_this_step, steps};
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn,
    getsockopt, send, sendto, setsockopt, socket,
};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

type Result = std::result::Result<(), Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The step's server, in each of its modes.
fn servers() -> impl Iterator<Item = std::result::Result<Server, CaseError>> {
    let (name, path) = server_of_this_step!();
    steps::runnable(name)
        .map(|who| who.launch(path).args(&["--quiet"]).start(TIMEOUT))
}

#[test]
fn answers_what_lies_behind_urgent_data() -> Result {
    servers().try_for_each(|server| answers_behind_urgent_data(&server?))
}

fn answers_behind_urgent_data(server: &Server) -> Result {
    let mut client = TcpStream::connect(server.address())?;
    client.set_read_timeout(Some(TIMEOUT))?;
    client.write_all(b"ping\n")?;
    client.read_exact(&mut [0; 5])?;
    // All of it must lie there before the server reads.
    server.process()?.stop()?;
    client.write_all(b"ping\n")?;
    send(client.as_raw_fd(), b"!", MsgFlags::MSG_OOB)?;
    client.write_all(b"ping\n")?;
    server.process()?.signal(Signal::SIGCONT)?;
    let mut replies = [0; 10];
    client.read_exact(&mut replies)?;
    assert_eq!(&replies, b"pong\npong\n");
    Ok(())
}

// Urgent data behind a byte that has not arrived: EPOLLPRI is reported as long
// as it is missing, while `recv` says EAGAIN.

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

/// The numbers that the next segment from `client` would have: its own and the
/// one that it acknowledges. Needs CAP_NET_ADMIN.
fn next_numbers(client: &TcpStream) -> nix::Result<[u32; 2]> {
    const OFF: usize = usize::MAX; // -1: and no window probe
    setsockopt(client, Repair, &1)?;
    let numbers = [2, 1].map(|queue| {
        setsockopt(client, Queue, &queue)?;
        Ok(getsockopt(client, Sequence)? as u32)
    });
    setsockopt(client, Repair, &OFF)?;
    let [sent, received] = numbers;
    Ok([sent?, received?])
}

/// A segment of one byte, urgent, in the name of `client`, that leaves a gap of
/// one byte before it. `man 7 raw`.
fn send_urgent_data_behind_a_gap(client: &TcpStream) -> Result {
    let [sequence, acknowledged] = next_numbers(client)?;
    let (from, to) = (client.local_addr()?.port(), client.peer_addr()?.port());
    let mut segment = Vec::new();
    segment.extend(from.to_be_bytes());
    segment.extend(to.to_be_bytes());
    segment.extend(sequence.wrapping_add(1).to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([5 << 4, 0x38]); // a header of 5 words; URG, ACK, PSH
    segment.extend([2, 0, 0, 0, 0, 1]); // window, checksum, urgent pointer
    segment.push(b'!');
    let length = u16::try_from(segment.len())?.to_be_bytes();
    let pseudo = [127, 0, 0, 1, 127, 0, 0, 1, 0, 6, length[0], length[1]];
    let sum = checksum(pseudo.iter().chain(&segment));
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    let raw = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::empty(),
        SockProtocol::Tcp,
    )?;
    let address = SockaddrIn::new(127, 0, 0, 1, 0);
    sendto(raw.as_raw_fd(), &segment, &address, MsgFlags::empty())?;
    Ok(())
}

/// RFC 1071.
fn checksum<'a>(bytes: impl Iterator<Item = &'a u8>) -> u16 {
    let sum: u32 = bytes
        .zip([8, 0].iter().cycle())
        .map(|(&byte, shift)| u32::from(byte) << shift)
        .sum();
    let sum = (sum >> 16) + (sum & 0xffff);
    !((sum >> 16) + (sum & 0xffff)) as u16
}

#[test]
fn sleeps_while_a_byte_before_urgent_data_is_missing() -> Result {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs to be root, for a raw socket");
        return Ok(());
    }
    servers().try_for_each(|server| sleeps_while_a_byte_is_missing(&server?))
}

fn sleeps_while_a_byte_is_missing(server: &Server) -> Result {
    let mut client = TcpStream::connect(server.address())?;
    client.set_read_timeout(Some(TIMEOUT))?;
    client.write_all(b"ping\n")?;
    client.read_exact(&mut [0; 5])?;
    send_urgent_data_behind_a_gap(&client)?;
    // It has arrived when another client, which came later, is served.
    server.still_serves()?;
    let process = server.process()?;
    let (start, before) = (Instant::now(), process.proc().cpu_time()?);
    while start.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let used = process.proc().cpu_time()?.saturating_sub(before);
    assert!(used < start.elapsed() / 4, "{used:?}: it spins");
    Ok(())
}
