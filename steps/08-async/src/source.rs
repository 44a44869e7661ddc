//! A descriptor: `accept`, `read`, `write`.

use std::cell::{RefCell, RefMut};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::task::{Poll, ready};

use blocking::{accept_nonblocking, recv, send};
use epoll::{Interest, Signals};
use protocol::{Call, Result, ResultExt};

use crate::Runtime;
use crate::reactor::Slot;

const WRITABLE: Interest = Interest { readable: false, writable: true };

/// A non-blocking descriptor whose calls wait as futures. One task may wait for
/// one of them at a time. To drop it closes it.
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

    fn slot(&self) -> RefMut<'_, Slot> {
        self.runtime.reactor.slot(self.io.as_fd())
    }

    /// Waits until `attempt` has another result than `WouldBlock`.
    fn when_readable<R>(
        &self,
        call: Call,
        attempt: impl Fn(&T) -> io::Result<R>,
    ) -> impl Future<Output = Result<R>> {
        poll_fn(move |cx| {
            loop {
                let (fd, interest) = (self.io.as_fd(), Interest::READABLE);
                ready!(self.runtime.reactor.poll_ready(fd, interest, cx))?;
                match attempt(&self.io) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.slot().ready = false;
                    }
                    result => return Poll::Ready(result.context(call)),
                }
            }
        })
    }
}

impl Source<OwnedFd> {
    /// The next connection of a listener, and its peer.
    ///
    /// # Errors
    /// As [`blocking::accept`].
    pub async fn accept(&self) -> Result<(OwnedFd, SocketAddr)> {
        self.when_readable(Call::Accept, |io| accept_nonblocking(io)).await
    }

    /// Reads what has arrived. Returns 0 at the end of the stream.
    ///
    /// # Errors
    /// As [`blocking::recv`].
    pub fn read(
        &self,
        buffer: &RefCell<[u8]>,
    ) -> impl Future<Output = Result<usize>> {
        self.when_readable(Call::Recv, |_| self.try_read(buffer))
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
    pub fn write_all(
        &self,
        mut bytes: &[u8],
    ) -> impl Future<Output = Result<()>> {
        poll_fn(move |cx| {
            while !bytes.is_empty() {
                match send(&self.io, bytes) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.slot().ready = false;
                        let (fd, reactor) =
                            (self.io.as_fd(), &self.runtime.reactor);
                        ready!(reactor.poll_ready(fd, WRITABLE, cx))?;
                    }
                    result => bytes = &bytes[result.context(Call::Send)?..],
                }
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl Source<Signals> {
    /// The next signal: its number.
    ///
    /// # Errors
    /// None on a correct system.
    pub async fn signal(&self) -> Result<i32> {
        let would_block = || ErrorKind::WouldBlock.into();
        let read = |io: &Signals| io.read().ok_or_else(would_block);
        self.when_readable(Call::Signals, read).await
    }
}
