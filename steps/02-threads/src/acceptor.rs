//! The main thread: accept, and hand over.

use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, Scope};
use std::time::Duration;

use blocking::{AfterAccept, REST, accept, after_failed_accept, converse};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;
use protocol::{Doing, Failure, LimitOptions, Log, Message};

use crate::clients::{Clients, Guest};
use crate::connection_limit;
use crate::signals::Signal;

/// A client's thread needs a few kilobytes of stack. The default of 2 MiB would
/// only be address space, but small stacks are reused when their thread ends,
/// and ten thousand of them fit.
const STACK_SIZE: usize = 128 * 1_024;

/// Takes clients from the accept queue and gives each a thread.
pub(crate) struct Acceptor<'a> {
    listener: OwnedFd,
    clients: &'a Clients<'a>,
    limit: usize,
    idle_timeout: Option<Duration>,
    /// Something has run out (descriptors, threads): said once, until the next
    /// client is served.
    resting: bool,
}

impl<'a> Acceptor<'a> {
    pub(crate) fn new(
        listener: OwnedFd,
        clients: &'a Clients<'a>,
        limits: &LimitOptions,
    ) -> Self {
        let limit = connection_limit(limits.max_connections);
        let idle_timeout = limits.idle_timeout;
        Self { listener, clients, limit, idle_timeout, resting: false }
    }

    /// Accepts until a signal comes, and returns its number. The listener is
    /// closed by then: new clients are refused.
    // ANCHOR: run
    pub(crate) fn run<'scope>(
        mut self,
        scope: &'scope Scope<'scope, 'a>,
        signal: &Signal,
        log: &mut Log,
    ) -> i32 {
        loop {
            log.flush();
            self.wait();
            if let Some(number) = signal.received() {
                return number;
            }
            match accept(&self.listener) {
                Ok((socket, peer)) => {
                    log.print(Message::Connected(peer));
                    log.flush();
                    self.hand_over(scope, socket, log);
                }
                Err(error)
                    if after_failed_accept(&error) == AfterAccept::TryAgain => {
                }
                Err(error) => self.rest(&Doing::Accept.failed(error), log),
            }
        }
    }

    /// Waits for a client if there is room for one, and in any case for the
    /// doorbell: a signal, or a client that leaves.
    fn wait(&self) {
        let limit = if self.resting { 0 } else { self.limit };
        let full = self.clients.full(limit);
        let listener = (!full).then(|| self.listener.as_fd());
        let patience = self.resting.then_some(REST);
        self.clients.doorbell().wait(listener, patience);
    }
    // ANCHOR_END: run

    // ANCHOR: hand_over
    fn hand_over<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        socket: OwnedFd,
        log: &mut Log,
    ) {
        if let Some(duration) = self.idle_timeout
            && let Err(failure) = limit_waiting(&socket, duration)
        {
            return log.warn(&failure);
        }
        let guest = self.clients.enter(socket);
        let log_of_thread = log.another();
        let started = Builder::new()
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, || attend(guest, log_of_thread));
        match started {
            Ok(_) => self.resting = false,
            // The guest went with the closure: this connection is closed.
            Err(error) => self.rest(&Doing::Thread.failed(error), log),
        }
    }
    // ANCHOR_END: hand_over

    fn rest(&mut self, failure: &Failure, log: &mut Log) {
        if !std::mem::replace(&mut self.resting, true) {
            log.alarm(failure);
        }
    }
}

/// A client's thread, from its first line to its last.
// ANCHOR: attend
fn attend(guest: Guest<'_>, mut log: Log) {
    match converse(&guest, || guest.asked_to_leave(), &mut log) {
        Ok(()) if guest.asked_to_leave() => {}
        Ok(()) => log.print(Message::PeerClosed),
        // SO_RCVTIMEO and SO_SNDTIMEO end a wait with EAGAIN.
        Err(Failure { error, .. })
            if error.kind() == std::io::ErrorKind::WouldBlock =>
        {
            log.print(Message::Idle);
        }
        Err(failure) => log.warn(&failure),
    }
    drop(guest); // close(2)
    log.print(Message::Ended);
}
// ANCHOR_END: attend

/// From here on a `recv` or `send` that waits for `duration` fails. `man 7
/// socket`, `SO_RCVTIMEO`.
fn limit_waiting(socket: &OwnedFd, duration: Duration) -> Result<(), Failure> {
    let timeout = TimeVal::new(
        duration.as_secs().cast_signed(),
        duration.subsec_micros().into(),
    );
    setsockopt(socket, sockopt::ReceiveTimeout, &timeout)
        .and_then(|()| setsockopt(socket, sockopt::SendTimeout, &timeout))
        .map_err(|e| Doing::Option.failed(e))
}
