//! A descriptor: `accept`, `read`, `write`.

use std::cell::{RefCell, RefMut};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::task::Poll;

use blocking::{accept_nonblocking, recv, send};
use protocol::{Call, Result, ResultExt};

use crate::Runtime;
use crate::reactor::Slot;

/// A non-blocking descriptor whose calls wait as futures. One task may wait for
/// one of them at a time. To drop it closes it.
pub struct Source<T: AsFd> {
    /// The descriptor.
    pub io: T,
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
        self.runtime.reactor.slot(self.io.as_fd().as_raw_fd())
    }

    /// Waits until `attempt` has another result than `WouldBlock`.
    // ANCHOR: when_ready
    pub fn when_ready<R>(
        &self,
        call: Call,
        attempt: impl Fn(&T) -> io::Result<R>,
    ) -> impl Future<Output = Result<R>> {
        poll_fn(move |cx| {
            while self.slot().ready {
                match attempt(&self.io) {
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        self.slot().ready = false;
                    }
                    result => return Poll::Ready(result.context(call)),
                }
            }
            self.slot().waker.clone_from(cx.waker());
            Poll::Pending
        })
    }
    // ANCHOR_END: when_ready

    /// The next connection of a listener, and its peer.
    ///
    /// # Errors
    /// As [`blocking::accept`].
    pub async fn accept(&self) -> Result<(OwnedFd, SocketAddr)> {
        self.when_ready(Call::Accept, |io| accept_nonblocking(io)).await
    }

    /// Reads what has arrived. Returns 0 at the end of the stream.
    ///
    /// # Errors
    /// As [`blocking::recv`].
    pub fn read(
        &self,
        buffer: &RefCell<[u8]>,
    ) -> impl Future<Output = Result<usize>> {
        self.when_ready(Call::Recv, |_| self.try_read(buffer))
    }

    /// Reads what has arrived, or says `WouldBlock`. The buffer may be shared
    /// by all: it is borrowed for the call alone, never across an `.await`.
    ///
    /// # Errors
    /// As [`blocking::recv`].
    // ANCHOR: try_read
    pub fn try_read(&self, buffer: &RefCell<[u8]>) -> io::Result<usize> {
        let mut buffer = buffer.borrow_mut();
        let count = recv(&self.io, &mut buffer)?;
        // As in step 04: a short read says that nothing is left, unless
        // something follows. If so, it is first the others' turn.
        let mut slot = self.slot();
        slot.ready = false;
        if count > 0 && (count == buffer.len() || slot.hang_up) {
            let rearmed = self.runtime.reactor.rearm(self.io.as_fd());
            rearmed.map_err(|error| error.source)?;
        }
        Ok(count)
    }
    // ANCHOR_END: try_read

    /// Sends all of `bytes`, and waits while the kernel takes none.
    ///
    /// # Errors
    /// As [`blocking::send`].
    pub fn write_all(
        &self,
        mut bytes: &[u8],
    ) -> impl Future<Output = Result<()>> {
        let mut is_armed = false;
        poll_fn(move |cx| {
            while !bytes.is_empty() {
                match send(&self.io, bytes) {
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        self.slot().waker.clone_from(cx.waker());
                        // Once: to arm reports bytes that lie unread, and at
                        // every attempt that would be a loop without a wait.
                        if !mem::replace(&mut is_armed, true) {
                            self.runtime.reactor.rearm(self.io.as_fd())?;
                        }
                        return Poll::Pending;
                    }
                    result => bytes = &bytes[result.context(Call::Send)?..],
                }
            }
            Poll::Ready(Ok(()))
        })
    }
}
