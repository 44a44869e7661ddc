//! `sockaddr`: how C writes an address and a port. It is a `sockaddr_in` for
//! IPv4 or a `sockaddr_in6` for IPv6; the field `family`, which both have in the
//! same place, says which. `man 7 ip`, `man 7 ipv6`.

use std::net::SocketAddr;
use std::{io, mem};

use libc::{sockaddr, sockaddr_in6, socklen_t};
use nix::sys::socket::{SockaddrLike, SockaddrStorage};

/// Makes `call`, which takes a pointer and the number of bytes that there is
/// room for, and writes an address and how many bytes it has. A family other
/// than IPv4 and IPv6 is `InvalidData`.
pub(crate) fn read_address<T>(
    call: impl FnOnce(*mut sockaddr, *mut socklen_t) -> io::Result<T>,
) -> io::Result<(T, SocketAddr)> {
    const ROOM: socklen_t = size_of::<sockaddr_in6>() as socklen_t;
    // SAFETY: plain integers; zero is valid in each.
    let mut room: sockaddr_in6 = unsafe { mem::zeroed() };
    let (addr, mut len) = ((&raw mut room).cast(), ROOM);
    let returned = call(addr, &raw mut len)?;
    // SAFETY: `addr` points to so many bytes.
    let raw = unsafe { SockaddrStorage::from_raw(addr, Some(len.min(ROOM))) };
    let address = raw.and_then(decode).ok_or(io::ErrorKind::InvalidData)?;
    Ok((returned, address))
}

fn decode(raw: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = raw.as_sockaddr_in().map(|&v4| v4.into());
    v4.or_else(|| raw.as_sockaddr_in6().map(|&v6| v6.into()))
}
