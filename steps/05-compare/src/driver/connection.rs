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
//! A non-blocking `connect` returns before the handshake is over
//! (EINPROGRESS). There is no state for that: `send` on such a socket says
//! EAGAIN, the wait for the connection is a wait for room to write, and where
//! the connection is refused it is `send` that returns the error.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use epoll::Interest;
use load_client::ErrorKind;
use nix::errno::Errno;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, SockaddrStorage,
    bind, connect, recv, send, setsockopt, shutdown, socket,
};
use protocol::PONG;

const PING: &[u8] = b"ping\n";
/// One connection, and how far we are with it.
// ANCHOR: connection
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    /// Requests that the kernel has not taken yet.
    unsent: Vec<u8>,
    /// Bytes of the next reply that are here already.
    received: usize,
}
// ANCHOR_END: connection

impl Connection {
    /// Begins to connect to `server`, from the address `source` if there is
    /// one. `man 2 connect`.
    ///
    /// # Errors
    /// EMFILE without a free descriptor, EADDRNOTAVAIL without a free port;
    /// ECONNREFUSED may come here or from [`advance`](Self::advance).
    // ANCHOR: open
    pub(crate) fn open(
        server: SocketAddr,
        source: Option<SocketAddr>,
    ) -> Result<Self, ErrorKind> {
        let family = match server {
            SocketAddr::V4(_) => AddressFamily::Inet,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        };
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(family, SockType::Stream, flags, None)?;
        if let Some(source) = source {
            // The port is chosen by `connect`, which knows the destination:
            // `bind` would need one that is free for every destination.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            bind(socket.as_raw_fd(), &SockaddrStorage::from(source))?;
        }
        match connect(socket.as_raw_fd(), &SockaddrStorage::from(server)) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(Self { socket, unsent: Vec::new(), received: 0 })
    }
    // ANCHOR_END: open

    /// Puts so many more requests on their way.
    pub(crate) fn send_requests(
        &mut self,
        count: usize,
    ) -> Result<(), ErrorKind> {
        self.unsent.extend(PING.repeat(count));
        self.flush()
    }

    /// What this connection waits for: while idle, too, for the server's end
    /// of it.
    pub(crate) fn interest(&self) -> Interest {
        Interest { readable: true, writable: !self.unsent.is_empty() }
    }

    /// Hands the kernel what it takes of the requests. `man 2 send`.
    // ANCHOR: flush
    pub(crate) fn flush(&mut self) -> Result<(), ErrorKind> {
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_NOSIGNAL);
        while !self.unsent.is_empty() {
            match send(fd, &self.unsent, flags) {
                // A partial write may end in the middle of a `ping`.
                Ok(taken) => drop(self.unsent.drain(..taken)),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
    // ANCHOR_END: flush

    /// Sends our FIN: no request follows. `man 2 shutdown`.
    pub(crate) fn shut_down(&self) {
        // An error says that the connection has ended already.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
    }

    /// Does what can be done without waiting, and returns how many replies
    /// are complete now, whatever comes after them. `hang_up` says that an
    /// end follows the bytes that can be read.
    // ANCHOR: advance
    pub(crate) fn advance(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
    ) -> (usize, Result<(), ErrorKind>) {
        let mut replies = 0;
        let result = self
            .flush()
            .and_then(|()| self.receive(hang_up, buffer, &mut replies));
        (replies, result)
    }

    fn receive(
        &mut self,
        hang_up: bool,
        buffer: &mut [u8],
        replies: &mut usize,
    ) -> Result<(), ErrorKind> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof),
                Ok(count) => {
                    *replies += self.check(&buffer[..count])?;
                    // A short read says that the socket is drained.
                    if count < buffer.len() && !hang_up {
                        return Ok(());
                    }
                }
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    // ANCHOR_END: advance

    /// Checks every byte of every reply, and counts those that end here.
    // ANCHOR: check
    fn check(&mut self, mut bytes: &[u8]) -> Result<usize, ErrorKind> {
        let mut replies = 0;
        while !bytes.is_empty() {
            let expected = &PONG[self.received..];
            let count = expected.len().min(bytes.len());
            let (reply, rest) = bytes.split_at(count);
            if reply != &expected[..count] {
                return Err(ErrorKind::WrongReply);
            }
            bytes = rest;
            self.received = (self.received + count) % PONG.len();
            replies += usize::from(self.received == 0);
        }
        Ok(replies)
    }
    // ANCHOR_END: check
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
