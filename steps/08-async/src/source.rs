//! A descriptor: `accept`, `read`, `write`.

use std::cell::{RefCell, RefMut};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use blocking::{accept_nonblocking, recv, send};
use epoll::{Interest, Signals};
use protocol::{Call, Result, ResultExt};

use crate::Runtime;
use crate::reactor::Slot;

const WRITABLE: Interest = Interest { readable: false, writable: true };

/// A non-blocking descriptor whose calls wait as futures. One task may wait for
/// one of them at a time. To drop it is to close it.
// ANCHOR: source
pub struct Source<T: AsFd> {
    pub(crate) io: T,
    runtime: Rc<Runtime>,
}

impl<T: AsFd> Source<T> {
    /// # Errors
    /// ENOSPC, ENOMEM: see [`epoll::Poller::register`].
    pub fn new(io: T, runtime: &Rc<Runtime>) -> Result<Self> {
        runtime.reactor.register(io.as_fd())?;
        Ok(Self { io, runtime: Rc::clone(runtime) })
    }

    /// Waits until an attempt may succeed.
    async fn ready(&self, interest: Interest) -> Result<()> {
        let reactor = &self.runtime.reactor;
        poll_fn(|cx| reactor.poll_ready(self.io.as_fd(), interest, cx)).await
    }

    fn slot(&self) -> RefMut<'_, Slot> {
        self.runtime.reactor.slot(self.io.as_fd())
    }

    /// Waits until `attempt` returns something other than `WouldBlock`.
    async fn readable<R>(
        &self,
        call: Call,
        attempt: impl Fn(&T) -> io::Result<R>,
    ) -> Result<R> {
        loop {
            self.ready(Interest::READABLE).await?;
            match attempt(&self.io) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.slot().ready = false;
                }
                result => return result.context(call),
            }
        }
    }
}
// ANCHOR_END: source

impl Source<OwnedFd> {
    /// The next connection of a listener, and its peer.
    ///
    /// # Errors
    /// As [`blocking::accept`].
    // ANCHOR: calls
    pub async fn accept(&self) -> Result<(OwnedFd, SocketAddr)> {
        self.readable(Call::Accept, |io| accept_nonblocking(io)).await
    }

    /// Reads what has arrived. Returns 0 at the end of the stream.
    ///
    /// # Errors
    /// As [`blocking::recv`].
    pub async fn read(&self, buffer: &RefCell<[u8]>) -> Result<usize> {
        self.readable(Call::Recv, |_| self.try_read(buffer)).await
    }

    /// Reads what has arrived, or says `WouldBlock`. The buffer may be shared
    /// by all: it is borrowed for the call alone, never across an `.await`.
    ///
    /// # Errors
    /// As [`blocking::recv`].
    pub fn try_read(&self, buffer: &RefCell<[u8]>) -> io::Result<usize> {
        let mut buffer = buffer.borrow_mut();
        let count = recv(&self.io, &mut buffer)?;
        let mut slot = self.slot();
        // As in step 04: a short read says that nothing is left, unless
        // something follows. If so, it is first the others' turn: re-arm.
        if count < buffer.len() && !slot.hang_up {
            slot.ready = false;
        } else {
            slot.registered = None;
        }
        Ok(count)
    }

    /// Sends all of `bytes`, and waits while the kernel takes none.
    ///
    /// # Errors
    /// As [`blocking::send`].
    pub async fn write_all(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match send(&self.io, bytes) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.slot().ready = false;
                    self.ready(WRITABLE).await?;
                }
                result => bytes = &bytes[result.context(Call::Send)?..],
            }
        }
        Ok(())
    }
    // ANCHOR_END: calls
}

impl Source<Signals> {
    /// The next signal: its number.
    ///
    /// # Errors
    /// None on a correct system.
    pub async fn signal(&self) -> Result<i32> {
        let would_block = || ErrorKind::WouldBlock.into();
        self.readable(Call::Signals, |s| s.read().ok_or_else(would_block)).await
    }
}
