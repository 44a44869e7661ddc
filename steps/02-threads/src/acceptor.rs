//! The main thread: accept, and hand over.

use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, Scope};
use std::time::Duration;

use blocking::{
    AfterAccept, Complaint, REST, accept, after_failed_accept, converse,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;
use protocol::{Doing, Failure, LimitOptions, Log, Message};

use crate::clients::{Clients, Guest};
use crate::limits::{MAX_THREADS, connection_limit};
use crate::signals::Signal;

/// A client's thread needs a few kilobytes of stack. The default of 2 MiB would
/// only be address space. But glibc keeps up to 40 MiB of stacks of threads that
/// have ended, for the next ones: 20 of those, or 300 of these.
const STACK_SIZE: usize = 128 * 1_024;

/// Takes clients from the accept queue and gives each a thread.
pub(crate) struct Acceptor<'a> {
    listener: OwnedFd,
    clients: &'a Clients<'a>,
    limit: usize,
    idle_timeout: Option<Duration>,
    /// Something has run out (descriptors, threads): no client is accepted
    /// until one leaves, or for a while.
    resting: bool,
    complaint: Complaint,
}

impl<'a> Acceptor<'a> {
    pub(crate) fn new(
        listener: OwnedFd,
        clients: &'a Clients<'a>,
        limits: &LimitOptions,
    ) -> Self {
        let limit = connection_limit(limits.max_connections).min(MAX_THREADS);
        let idle_timeout = limits.idle_timeout;
        let complaint = Complaint::default();
        Self {
            listener,
            clients,
            limit,
            idle_timeout,
            resting: false,
            complaint,
        }
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
            let client_waits = self.wait();
            if let Some(number) = signal.received() {
                return number;
            }
            if client_waits {
                self.accept(scope, log);
            }
        }
    }

    /// Waits for a client if there is room for one, and in any case for the
    /// doorbell: a signal, or a client that leaves. Says whether a client is
    /// there to be accepted.
    fn wait(&mut self) -> bool {
        let resting = std::mem::take(&mut self.resting);
        let limit = if resting { 0 } else { self.limit };
        let full = self.clients.full(limit);
        let listener = (!full).then(|| self.listener.as_fd());
        self.clients.doorbell().wait(listener, resting.then_some(REST))
    }

    fn accept<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        log: &mut Log,
    ) {
        match accept(&self.listener) {
            Ok((socket, peer)) => {
                let_it_wait(&socket);
                log.print(Message::Connected(peer));
                log.flush();
                self.hand_over(scope, socket, log);
            }
            Err(error)
                if after_failed_accept(&error) == AfterAccept::TryAgain => {}
            Err(error) => self.rest(&Doing::Accept.failed(error), log),
        }
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
        if let Err(error) = started {
            // The guest went with the closure: this connection is closed.
            self.rest(&Doing::Thread.failed(error), log);
        }
    }
    // ANCHOR_END: hand_over

    fn rest(&mut self, failure: &Failure, log: &mut Log) {
        self.resting = true;
        self.complaint.make(failure, log);
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

/// On Linux a client's socket waits whatever its listener does; elsewhere it
/// inherits O_NONBLOCK. `man 2 accept`.
fn let_it_wait(socket: &OwnedFd) {
    if cfg!(not(target_os = "linux")) {
        let _ = fcntl(socket, FcntlArg::F_SETFL(OFlag::empty()));
    }
}
