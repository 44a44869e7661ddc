//! A connection seen from the client: the mirror image of step 04's.
//!
//! ```text
//!    connect           all sent           the last reply is complete
//!   ────────▶ sending ─────────▶ receiving ─────────────────────────▶ idle
//!                 ▲                                                     │
//!                 └─────────────────────────────────────────────────────┘
//!                                 the next request
//! ```
//!
//! A `connect` that is not over (EINPROGRESS) is no state of its own: `send`
//! says EAGAIN until it is, or returns the error.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use blocking::{recv, send};
use epoll::{Interest, Poller};
use load_client::ErrorKind;
use nix::errno::Errno;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use nix::sys::socket::{
    AddressFamily, Shutdown, SockFlag, SockType, SockaddrIn, bind, connect,
    setsockopt, shutdown, socket,
};
use protocol::PONG;

const PING: &[u8] = b"ping\n";

/// One connection, and how far we are with it.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    /// Requests that the kernel has not taken yet.
    unsent: Vec<u8>,
    /// Bytes of the next reply that are here already.
    received: usize,
    /// What the kernel waits for on this connection.
    registered: Option<Interest>,
}

impl Connection {
    /// Begins to connect to `server`, from the address `source` if there is
    /// one. `man 2 connect`. ECONNREFUSED may come here or from
    /// [`advance`](Self::advance).
    pub(crate) fn open(
        server: SocketAddrV4,
        source: Option<Ipv4Addr>,
    ) -> Result<Self, ErrorKind> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket =
            socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        if let Some(source) = source {
            // The port is chosen by `connect`, which knows the destination:
            // `bind` would need one that is free for every destination.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            let source = SocketAddrV4::new(source, 0);
            bind(socket.as_raw_fd(), &SockaddrIn::from(source))?;
        }
        match connect(socket.as_raw_fd(), &SockaddrIn::from(server)) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(Self { socket, unsent: Vec::new(), received: 0, registered: None })
    }

    pub(crate) fn send_requests(
        &mut self,
        count: usize,
    ) -> Result<(), ErrorKind> {
        self.unsent.extend(PING.repeat(count));
        self.flush()
    }

    /// Registers what this connection waits for, where that has changed: while
    /// idle, too, for the server's end of it.
    pub(crate) fn register(
        &mut self,
        poller: &Poller,
        token: u64,
    ) -> Result<(), ErrorKind> {
        let writable = !self.unsent.is_empty();
        let interest = Interest { readable: true, writable };
        match self.registered.replace(interest) {
            Some(before) if before == interest => {}
            Some(_) => poller.reregister(&self.socket, token, interest)?,
            None => poller.register(&self.socket, token, interest)?,
        }
        Ok(())
    }

    /// Hands the kernel what it takes of the requests. `man 2 send`.
    fn flush(&mut self) -> Result<(), ErrorKind> {
        while !self.unsent.is_empty() {
            match send(&self.socket, &self.unsent) {
                // A partial write may end in the middle of a `ping`.
                Ok(taken) => drop(self.unsent.drain(..taken)),
                Err(error) if would_block(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends our FIN: no request follows. `man 2 shutdown`.
    pub(crate) fn shut_down(&self) {
        // An error says that the connection has ended already.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
    }

    /// Does what can be done without waiting, and returns how many replies
    /// are complete now, whatever comes after them. `hang_up` says that an
    /// end follows the bytes that can be read.
    pub(crate) fn advance(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
    ) -> (usize, Result<(), ErrorKind>) {
        let mut replies = 0;
        let result = self.flush().and_then(|()| {
            loop {
                match recv(&self.socket, buffer) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof),
                    Ok(count) => {
                        self.check(&buffer[..count], &mut replies)?;
                        // A short read says that the socket is drained.
                        if count < buffer.len() && !hang_up {
                            return Ok(());
                        }
                    }
                    Err(error) if would_block(&error) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        });
        (replies, result)
    }

    /// Checks every byte of every reply, and counts those that end here.
    fn check(
        &mut self,
        mut bytes: &[u8],
        replies: &mut usize,
    ) -> Result<(), ErrorKind> {
        while !bytes.is_empty() {
            let expected = &PONG[self.received..];
            let count = expected.len().min(bytes.len());
            let (reply, rest) = bytes.split_at(count);
            if reply != &expected[..count] {
                return Err(ErrorKind::WrongReply);
            }
            bytes = rest;
            self.received = (self.received + count) % PONG.len();
            *replies += usize::from(self.received == 0);
        }
        Ok(())
    }
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
