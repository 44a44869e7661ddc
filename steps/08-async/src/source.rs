//! A descriptor that is waited for: from an event of `epoll` to the task.

use std::cell::{RefCell, RefMut};
use std::future::poll_fn;
use std::io::{self, ErrorKind::WouldBlock};
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use blocking::{recv, send};
use epoll::{Event, Interest};
use protocol::{Call, Result, ResultExt};

use crate::Runtime;

/// What is known of a descriptor, and the task that waits for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    /// An event came, and no read since has found nothing.
    ready: bool,
    /// As [`Event::hang_up`], in any event so far.
    hang_up: bool,
    waker: Option<Waker>,
}

impl Slot {
    fn set_ready(&mut self) {
        self.ready = true;
        self.waker.iter().for_each(Waker::wake_by_ref);
    }
}

impl Runtime {
    /// Waits for events, and wakes the tasks that wait for them.
    pub(crate) fn wait(
        &self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        self.poller.borrow_mut().wait(events, timeout)?;
        let mut slots = self.slots.borrow_mut();
        for event in events {
            let slot = &mut slots[event.token as usize];
            slot.hang_up |= event.hang_up;
            slot.set_ready();
        }
        Ok(())
    }

    /// As if there were an event for each descriptor.
    pub(crate) fn wake_all(&self) {
        self.slots.borrow_mut().iter_mut().for_each(Slot::set_ready);
    }
}

/// A non-blocking descriptor whose calls wait as futures. One task may wait for
/// one of them at a time. To drop it closes it.
pub struct Source<T: AsFd> {
    /// The descriptor.
    pub io: T,
    runtime: Rc<Runtime>,
}

impl<T: AsFd> Source<T> {
    /// Fails as [`epoll::Poller::register`] does.
    pub fn new(io: T, runtime: &Rc<Runtime>) -> Result<Self> {
        let number = io.as_fd().as_raw_fd() as usize;
        let slots = &mut *runtime.slots.borrow_mut();
        slots.resize(slots.len().max(number + 1), Slot::default());
        slots[number] = Slot::default();
        let interest = Interest { readable: true, writable: true };
        runtime.poller.borrow().register(&io, number as u64, interest)?;
        Ok(Self { io, runtime: Rc::clone(runtime) })
    }

    fn slot(&self) -> RefMut<'_, Slot> {
        let number = self.io.as_fd().as_raw_fd() as usize;
        let slots = self.runtime.slots.borrow_mut();
        RefMut::map(slots, |slots| &mut slots[number])
    }

    /// Whether there may be something to read.
    pub(crate) fn is_ready(&self) -> bool {
        self.slot().ready
    }

    /// `Pending`, with the waker where the next event will find it.
    fn wait<R>(&self, cx: &Context<'_>) -> Poll<R> {
        self.slot().waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until `attempt` has another result than `WouldBlock`. What is ready
    /// already waits for a turn, too: it might be so without end, and the others
    /// would never have theirs.
    pub fn when_ready<R>(
        &self,
        call: Call,
        attempt: impl Fn() -> io::Result<R>,
    ) -> impl Future<Output = Result<R>> {
        let mut is_first = true;
        poll_fn(move |cx| {
            let is_first = mem::take(&mut is_first);
            if is_first && self.is_ready() {
                cx.waker().wake_by_ref();
            } else if self.is_ready() {
                match attempt() {
                    Err(e) if e.kind() == WouldBlock => {
                        self.slot().ready = false;
                    }
                    result => return Poll::Ready(result.context(call)),
                }
            }
            self.wait(cx)
        })
    }

    /// Reads what has arrived. Returns 0 at the end of the stream. Fails as
    /// [`blocking::recv`] does.
    pub fn read(
        &self,
        buffer: &RefCell<[u8]>,
    ) -> impl Future<Output = Result<usize>> {
        self.when_ready(Call::Recv, move || self.try_read(buffer))
    }

    /// Reads what has arrived, or says `WouldBlock`. The buffer may be shared
    /// by all: it is borrowed for the call alone, never across an `.await`.
    pub fn try_read(&self, buffer: &RefCell<[u8]>) -> io::Result<usize> {
        let mut buffer = buffer.borrow_mut();
        let count = recv(&self.io, &mut buffer)?;
        // As in step 04: a short read says that nothing is left, unless
        // something follows.
        let mut slot = self.slot();
        slot.ready = count == buffer.len() || slot.hang_up;
        Ok(count)
    }

    /// Sends all of `bytes`, and waits while the kernel takes none. Fails as
    /// [`blocking::send`] does.
    pub fn write_all(
        &self,
        mut bytes: &[u8],
    ) -> impl Future<Output = Result<()>> {
        poll_fn(move |cx| {
            while !bytes.is_empty() {
                match send(&self.io, bytes) {
                    Err(e) if e.kind() == WouldBlock => return self.wait(cx),
                    result => bytes = &bytes[result.context(Call::Send)?..],
                }
            }
            Poll::Ready(Ok(()))
        })
    }
}
