//! # Step 01: one client at a time
//!
//! Step 00 turns bytes into replies but cannot talk to anybody. This step adds
//! the socket: `socket`, `setsockopt`, `bind`, `listen`, `accept`, `recv`,
//! `send`, `close`, each called through `libc` as a C program would. Each call
//! is one `unsafe` block, and each descriptor is an [`OwnedFd`] from the line
//! that makes it, so that no path forgets to close it.
//!
//! | file | its one idea |
//! |---|---|
//! | `address.rs` | `sockaddr`: how C writes an address and a port |
//! | `socket.rs` | one safe function for each system call on a connection |
//! | `listener.rs` | from nothing to a listener: the four calls in order |
//! | `accepting.rs` | what to do when `accept` fails |
//! | `converse.rs` | one client, from its first byte to its last |
//! | `delivery.rs` | sent is not delivered: closing without losing replies |
//! | `signals.rs` | a signal handler that does only what it may |
//!
//! What it cannot do: serve a second client before the first one leaves. The
//! second connects all the same (the kernel completes the handshake) and waits
//! in the accept queue. That is the problem of step 02.

#![expect(
    unsafe_code,
    reason = "this step makes the system calls itself, one to a block"
)]

mod accepting;
mod address;
mod converse;
mod delivery;
mod listener;
mod signals;
mod socket;

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use clap::Parser;
use protocol::{Doing, Failure, ListenOptions, Log, Message};

pub use accepting::{AfterAccept, Complaint, REST, after_failed_accept};
pub use converse::converse;
pub use listener::{listen, local_address};
#[cfg(target_os = "linux")]
pub use socket::accept_nonblocking;
pub use socket::{accept, recv, send, send_all};

/// A ping-pong server for one client at a time
#[derive(Clone, Debug, Parser)]
#[command(name = "01-blocking", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
}

/// Serves one client after the other until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps the server from listening: see [`listen`].
// ANCHOR: run
pub fn run(options: &Options) -> Result<(), Failure> {
    let mut log = Log::new(options.listen.quiet);
    let address = options.listen.address();
    let listener = listen(address, options.listen.backlog)?;
    signals::install(&listener).map_err(|e| Doing::Signals.failed(e))?;
    log.announce(Message::Listening(local_address(&listener)?));
    serve(&listener, &mut log);
    Ok(())
}

fn serve(listener: &OwnedFd, log: &mut Log) {
    let mut complaint = Complaint::default();
    while signals::received().is_none() {
        log.flush();
        match accept(listener) {
            Ok((client, peer)) => {
                log.print(Message::Connected(peer));
                attend(client, log);
            }
            Err(error) => rest_after(error, &mut complaint, log),
        }
    }
    if let Some(signal) = signals::received() {
        log.announce(Message::Stopping(signal));
    }
}
// ANCHOR_END: run

/// Serves one client to its end. An error here is the end of this client's
/// connection and of nothing else.
// ANCHOR: attend
fn attend(client: OwnedFd, log: &mut Log) {
    signals::wake_for(&client);
    match converse(&client, || signals::received().is_some(), log) {
        Ok(()) if signals::received().is_some() => {}
        Ok(()) => log.print(Message::PeerClosed),
        Err(failure) => log.warn(&failure),
    }
    signals::forget_client();
    drop(client); // close(2)
    log.print(Message::Ended);
}
// ANCHOR_END: attend

/// `accept` failed. Waits before the next try where trying at once would only
/// spin.
// ANCHOR: rest
fn rest_after(error: io::Error, complaint: &mut Complaint, log: &mut Log) {
    let stopping = signals::received().is_some();
    if !stopping && after_failed_accept(&error) == AfterAccept::Rest {
        complaint.make(&Doing::Accept.failed(error), log);
        std::thread::sleep(REST);
    }
}
// ANCHOR_END: rest

/// The number of a descriptor, for a system call that takes one. Borrows it: a
/// descriptor that was given away here would be closed before the call.
fn number(fd: &impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}
