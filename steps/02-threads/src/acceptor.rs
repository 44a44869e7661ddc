//! The main thread: accept, and give each client a thread.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{Builder, Scope};

use blocking::{Backoff, accept, is_connection_error, serve_connection};
use protocol::{Call, Log, Message, Result, ResultExt};

use crate::connections::Connections;
use crate::limits::{MAX_THREADS, check_address_space};

/// More than a client's thread needs. glibc keeps up to 40 MiB of the stacks of
/// ended threads for the next ones: 300 of these, or 20 of the default, 2 MiB.
const STACK_SIZE: usize = 131_072;

/// Takes clients from the accept queue until a signal comes, and returns the
/// signal. At most `max` connections are open at a time.
pub(crate) fn run<'scope>(
    listener: impl AsFd,
    connections: &'scope Connections,
    max: usize,
    scope: &'scope Scope<'scope, '_>,
    log: &mut Log,
) -> i32 {
    let mut backoff = Backoff::default();
    loop {
        log.flush();
        if let Some(signal) = connections.wait_for_room(max.min(MAX_THREADS)) {
            return signal;
        }
        let served = match accept(&listener) {
            // The signal has shut the listener down: EINVAL.
            _ if connections.is_shutting_down() => Ok(()),
            Ok((socket, peer)) => {
                log.info(Message::Connected(peer));
                log.flush();
                spawn(scope, connections, socket, Log::new(log.quiet))
            }
            Err(error) if is_connection_error(&error) => Ok(()),
            Err(error) => Err(error).context(Call::Accept),
        };
        if let Err(error) = served {
            connections.wait_for_change(backoff.start(&error, log));
        }
    }
}

/// Closes the connection where no thread is to be had: EAGAIN, ENOMEM.
fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    connections: &'scope Connections,
    socket: OwnedFd,
    log: Log,
) -> Result<()> {
    check_address_space().context(Call::Thread)?;
    let socket = Arc::new(socket);
    connections.insert(&socket);
    let in_thread = Arc::clone(&socket);
    let serve = move || serve_client(in_thread, connections, log);
    let spawned =
        Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, serve);
    if spawned.is_err() {
        connections.remove(socket);
    }
    spawned.map(drop).context(Call::Thread)
}

/// A client's thread, from its first line to its last.
fn serve_client(socket: Arc<OwnedFd>, connections: &Connections, mut log: Log) {
    let shutting_down = || connections.is_shutting_down();
    let served = serve_connection(&socket, shutting_down, &mut log);
    let timed_out = connections.remove(socket); // close(2)
    match served {
        _ if timed_out => log.info(Message::IdleTimeout),
        Ok(()) if shutting_down() => {}
        Ok(()) => log.info(Message::PeerClosed),
        Err(error) => log.warn(&error),
    }
    log.info(Message::Ended(None));
}
