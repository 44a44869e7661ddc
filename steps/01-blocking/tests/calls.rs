//! What the calls promise that only later steps rely on.

#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

use blocking::{
    accept_nonblocking, bytes_transferred, listen, local_address, recv,
};
use harness::{TIMEOUT, poll_until};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

type Result = std::result::Result<(), Box<dyn Error>>;

#[test]
fn what_was_received_and_acknowledged_is_counted() -> Result {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), 1)?;
    let mut client = TcpStream::connect(local_address(&listener)?)?;
    let (socket, _) = accept_nonblocking(&listener)?;
    assert_eq!(bytes_transferred(&socket)?, 0);
    client.write_all(b"hello\n")?;
    let counted = |bytes| {
        let counted = || bytes_transferred(&socket).is_ok_and(|n| n == bytes);
        poll_until(TIMEOUT, || Ok(counted().then_some(())))
    };
    assert!(counted(6)?.is_some());
    blocking::send_all(&socket, b"pong\n")?;
    client.read_exact(&mut [0; 5])?;
    assert!(counted(11)?.is_some());
    Ok(())
}

#[test]
fn a_connection_for_an_event_loop_never_waits_and_is_not_inherited() -> Result {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), 1)?;
    let client = TcpStream::connect(local_address(&listener)?)?;
    let (socket, peer) = accept_nonblocking(&listener)?;
    assert_eq!(peer, client.local_addr()?);
    let nothing = recv(&socket, &mut [0; 8]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    let flags = fcntl(&socket, FcntlArg::F_GETFD)?;
    assert_eq!(FdFlag::from_bits_retain(flags), FdFlag::FD_CLOEXEC);
    assert!(socket.as_raw_fd() > 2);
    Ok(())
}
