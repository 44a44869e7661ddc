//! From an event of `epoll` to the task that waits for it.

use std::cell::{RefCell, RefMut};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::task::Waker;
use std::time::Duration;

use epoll::{Event, Interest, Poller, Trigger};
use protocol::Result;

/// What is known of a descriptor, and the task that waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// An event came, and no read since has found nothing.
    pub(crate) ready: bool,
    /// As [`Event::hang_up`], in any event so far.
    pub(crate) hang_up: bool,
    pub(crate) waker: Waker,
}

/// The poller, and a slot for each descriptor.
#[derive(Debug)]
pub(crate) struct Reactor {
    poller: RefCell<Poller>,
    events: RefCell<Vec<Event>>,
    /// By the descriptor's number: the kernel gives the lowest that is free.
    slots: RefCell<Vec<Slot>>,
}

impl Reactor {
    pub(crate) fn new() -> Result<Self> {
        let poller = RefCell::new(Poller::new(Trigger::Edge)?);
        let (events, slots) = Default::default();
        Ok(Self { poller, events, slots })
    }

    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    pub(crate) fn register(&self, fd: BorrowedFd<'_>) -> Result<()> {
        let (number, waker) = (fd.as_raw_fd() as usize, Waker::noop().clone());
        let slot = Slot { ready: false, hang_up: false, waker };
        let mut slots = self.slots.borrow_mut();
        let len = slots.len().max(number + 1);
        slots.resize(len, slot.clone());
        slots[number] = slot;
        let interest = Interest::READABLE;
        self.poller.borrow().register(fd, number as u64, interest)
    }

    /// The slot of a descriptor that was registered.
    pub(crate) fn slot(&self, fd: RawFd) -> RefMut<'_, Slot> {
        RefMut::map(self.slots.borrow_mut(), |slots| &mut slots[fd as usize])
    }

    /// If `fd` is ready already, an event comes at the next wait; from here on
    /// for room to write, too.
    ///
    /// # Errors
    /// ENOMEM: see [`Poller::reregister`].
    pub(crate) fn rearm(&self, fd: BorrowedFd<'_>) -> Result<()> {
        let interest = Interest { readable: true, writable: true };
        self.poller.borrow().reregister(fd, fd.as_raw_fd() as u64, interest)
    }

    /// Waits for events, and wakes the tasks that wait for them.
    // ANCHOR: wait
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        let mut events = self.events.borrow_mut();
        self.poller.borrow_mut().wait(&mut events, timeout)?;
        for event in events.iter() {
            let mut slot = self.slot(event.token as RawFd);
            slot.ready = true;
            slot.hang_up |= event.hang_up;
            slot.waker.wake_by_ref();
        }
        Ok(())
    }
    // ANCHOR_END: wait

    /// Wakes every task that waits for a descriptor, to look at something else.
    pub(crate) fn wake_all(&self) {
        let slots = self.slots.borrow();
        slots.iter().for_each(|slot| slot.waker.wake_by_ref());
    }
}
