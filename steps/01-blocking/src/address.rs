//! `sockaddr`: how C writes an address and a port.
//!
//! The calls take a pointer to a `sockaddr` and a length. What it points to is
//! a `sockaddr_in` for IPv4 or a `sockaddr_in6` for IPv6; the field `family`,
//! which all have in the same place, says which. Ports and addresses travel
//! with the highest byte first ("network byte order"): hence `to_be`.
//! `man 7 ip`, `man 7 ipv6`.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{AF_INET, AF_INET6, c_int, sa_family_t, sockaddr, socklen_t};

/// Space for an address of either family, as the kernel reads and writes it.
// ANCHOR: raw
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union RawAddress {
    any: sockaddr,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    /// The size of the largest address, in bytes.
    pub(crate) const CAPACITY: socklen_t = mem::size_of::<Self>() as socklen_t;

    /// An address of no family: space for the kernel's answer.
    pub(crate) fn empty() -> Self {
        // SAFETY: all three structs are plain integers; zero is valid in each.
        unsafe { mem::zeroed() }
    }

    /// A pointer as `bind` and `accept` want it.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        (&raw mut *self).cast()
    }
    // ANCHOR_END: raw

    /// Writes `address` the way C does, and how many bytes of it count.
    // ANCHOR: encode
    pub(crate) fn encode(address: SocketAddr) -> (Self, socklen_t) {
        let mut raw = Self::empty();
        match address {
            SocketAddr::V4(v4) => {
                raw.v4.sin_family = AF_INET as sa_family_t;
                raw.v4.sin_port = v4.port().to_be();
                raw.v4.sin_addr.s_addr = v4.ip().to_bits().to_be();
                (raw, mem::size_of::<libc::sockaddr_in>() as socklen_t)
            }
            SocketAddr::V6(v6) => {
                raw.v6.sin6_family = AF_INET6 as sa_family_t;
                raw.v6.sin6_port = v6.port().to_be();
                raw.v6.sin6_addr.s6_addr = v6.ip().octets();
                raw.v6.sin6_scope_id = v6.scope_id();
                (raw, mem::size_of::<libc::sockaddr_in6>() as socklen_t)
            }
        }
    }
    // ANCHOR_END: encode

    /// Reads what the kernel wrote.
    ///
    /// # Errors
    /// `InvalidData` for a family other than IPv4 and IPv6.
    // ANCHOR: decode
    pub(crate) fn decode(&self) -> io::Result<SocketAddr> {
        // SAFETY: `any` has every byte in common with the other fields, and
        // any bytes are valid integers.
        let family = c_int::from(unsafe { self.any.sa_family });
        match family {
            AF_INET => {
                // SAFETY: plain integers again, and the family says IPv4.
                let v4 = unsafe { self.v4 };
                let ip = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
                let port = u16::from_be(v4.sin_port);
                Ok(SocketAddrV4::new(ip, port).into())
            }
            AF_INET6 => {
                // SAFETY: plain integers again, and the family says IPv6.
                let v6 = unsafe { self.v6 };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Ok(SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into())
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
    // ANCHOR_END: decode
}
