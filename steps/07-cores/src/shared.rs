//! What all loops share: how many clients each has, and how it is woken.

use std::collections::BTreeSet;
use std::mem::take;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use nix::sys::eventfd::{EfdFlags, EventFd};
use protocol::{Call, Result, ResultExt};
use threads::connection_limit;

use crate::{Options, Spread};

/// Clients that are still accepted once the server stops, by all loops.
const LAST_ACCEPTS: usize = 256;

/// The loops, as far as each may see the others. A loop goes by its number.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) wake_ups: Vec<EventFd>,
}

/// What the lock protects.
#[derive(Default)]
pub(crate) struct State {
    /// The number of clients of each loop.
    open: Vec<usize>,
    max_connections: usize,
    /// The loops that found no room.
    refused: BTreeSet<usize>,
    pub(crate) hands_over: bool,
    pub(crate) is_stopping: bool,
    /// Clients that were not accepted any more.
    pub(crate) left: usize,
}

impl State {
    /// The loop that is to accept instead of `own`.
    fn less_busy(&self, own: usize) -> Option<usize> {
        let least = (0..self.open.len()).min_by_key(|&n| self.open[n])?;
        let is_less = self.open[least] < self.open[own];
        (is_less && self.hands_over && !self.is_stopping).then_some(least)
    }
}

impl Shared {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let available = available_parallelism().map_or(1, NonZeroUsize::get);
        let loops = options.cores.unwrap_or(available);
        // Each loop has two descriptors or three of its own.
        let default = || connection_limit(None).saturating_sub(3 * loops);
        let max = options.limits.max_connections.unwrap_or_else(default);
        let state = State {
            open: vec![0; loops],
            max_connections: max.max(1),
            hands_over: options.spread == Spread::Handover,
            ..State::default()
        };
        // Readable unless it is 0, and none of us reads it: so each write is an
        // event, and so is to register it anew. `man 2 eventfd`.
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake_up = |_| EventFd::from_value_and_flags(1, flags);
        let wake_ups: nix::Result<_> = (0..loops).map(wake_up).collect();
        let wake_ups = wake_ups.context(Call::Epoll)?;
        Ok(Self { state: Mutex::new(state), wake_ups })
    }

    /// Counts a client of loop `own` before it is accepted, so that the loops
    /// keep to the limit and yet accept at the same time. Where they hand over,
    /// which is the least busy has to stay so until then: keep the lock.
    pub(crate) fn count(&self, own: usize) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if let Some(other) = state.less_busy(own) {
            self.wake(other);
            return None;
        }
        if state.open.iter().sum::<usize>() >= state.max_connections {
            state.refused.insert(own);
            return None;
        }
        state.open[own] += 1;
        Some(state)
    }

    pub(crate) fn on_close(&self, own: usize) {
        let mut state = self.lock();
        if !state.is_stopping {
            // Otherwise none takes its place.
            state.open[own] -= 1;
            take(&mut state.refused).into_iter().for_each(|n| self.wake(n));
        }
    }

    /// The loops stop. They take first what waits in their queues.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        let last = state.open.iter().sum::<usize>() + LAST_ACCEPTS;
        state.max_connections = state.max_connections.min(last);
        (0..self.wake_ups.len()).for_each(|number| self.wake(number));
    }

    fn wake(&self, number: usize) {
        while self.wake_ups[number].write(1).is_err() {} // EINTR
    }

    /// No thread of ours panics while it holds the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
