//! From an event of `epoll` to the task that waits for it.

use std::cell::{RefCell, RefMut};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use epoll::{Event, Interest, Poller, Trigger};
use protocol::Result;

use crate::Runtime;

/// What is known of a descriptor, and the task that waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// What epoll waits for; `None`: to be registered anew, which re-arms.
    pub(crate) registered: Option<Interest>,
    /// An event came, and no call since has said `WouldBlock`.
    pub(crate) ready: bool,
    /// As [`Event::hang_up`], in any event so far.
    pub(crate) hang_up: bool,
    waker: Waker,
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

    /// Waits for events, and wakes the tasks that wait for them.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        let mut events = self.events.borrow_mut();
        self.poller.borrow_mut().wait(&mut events, timeout)?;
        let mut slots = self.slots.borrow_mut();
        for event in events.iter() {
            let slot = &mut slots[event.token as usize];
            slot.ready = true;
            slot.hang_up |= event.hang_up;
            slot.waker.wake_by_ref();
        }
        Ok(())
    }

    /// # Errors
    /// ENOSPC, ENOMEM: see [`Poller::register`].
    pub(crate) fn register(&self, fd: BorrowedFd<'_>) -> Result<()> {
        let (number, interest) = (fd.as_raw_fd() as usize, Interest::READABLE);
        let (registered, waker) = (Some(interest), Waker::noop().clone());
        let slot = Slot { registered, ready: false, hang_up: false, waker };
        let mut slots = self.slots.borrow_mut();
        let len = slots.len().max(number + 1);
        slots.resize(len, slot.clone());
        slots[number] = slot;
        self.poller.borrow().register(fd, number as u64, interest)
    }

    /// The slot of a descriptor that was registered.
    pub(crate) fn slot(&self, fd: BorrowedFd<'_>) -> RefMut<'_, Slot> {
        let number = fd.as_raw_fd() as usize;
        RefMut::map(self.slots.borrow_mut(), |slots| &mut slots[number])
    }

    /// Whether a call on `fd` is worth a try; if not, the task is woken when it
    /// is.
    // ANCHOR: poll_ready
    pub(crate) fn poll_ready(
        &self,
        fd: BorrowedFd<'_>,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let mut slot = self.slot(fd);
        if slot.registered != Some(interest) {
            let token = fd.as_raw_fd() as u64;
            self.poller.borrow().reregister(fd, token, interest)?;
            slot.registered = Some(interest);
            slot.ready = false; // if it is, an event says so
        }
        slot.waker.clone_from(cx.waker());
        if slot.ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
    // ANCHOR_END: poll_ready
}

impl Runtime {
    /// Wakes every task that waits for a descriptor, to look at something else.
    pub fn wake_all(&self) {
        let slots = self.reactor.slots.borrow();
        slots.iter().for_each(|slot| slot.waker.wake_by_ref());
    }
}
