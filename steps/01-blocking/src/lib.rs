//! # Step 01: one client at a time
//!
//! Step 00 turns bytes into replies but cannot talk to a client. This step adds
//! the socket: `socket`, `setsockopt`, `bind`, `listen`, `accept`, `recv`,
//! `send`, `close`, each called through `libc` as a C program would. Each call
//! is one `unsafe` block, and each descriptor is an [`OwnedFd`] from the line
//! that makes it, so that no path forgets to close it.
//!
//! The calls on a connection are in `socket.rs`, those before it in
//! `listener.rs`, and `connection.rs` is one client's story. Signals and
//! addresses have `nix`'s types, as from step 02 on everything has.
//!
//! What it cannot do: serve a second client before the first one leaves. The
//! second connects all the same (the kernel completes the handshake) and waits
//! in the accept queue. That is the problem of step 02.

#![expect(
    unsafe_code,
    reason = "this step makes the system calls itself, one to a block"
)]

mod address;
mod backoff;
mod connection;
mod linger;
mod listener;
mod signals;
mod socket;

use std::os::fd::OwnedFd;
use std::thread::sleep;

use clap::Parser;
use protocol::{Call, Error, ListenOptions, Log, Message, Result, ResultExt};

pub use backoff::{Backoff, is_connection_error};
pub use connection::serve_connection;
pub use listener::{listen, listen_on, local_address, stream_socket};
pub use signals::{default_signals, reset_inherited};
#[cfg(target_os = "linux")]
pub use socket::accept_nonblocking;
pub use socket::{accept, bytes_transferred, recv, send, send_all};

/// A ping-pong server for one client at a time
#[derive(Clone, Debug, Parser)]
#[command(name = "01-blocking", version)]
pub struct Options {
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenOptions,
}

/// Serves one client after the other until SIGINT or SIGTERM. Fails where it
/// cannot listen: see [`listen`].
pub fn run(options: &Options) -> Result<()> {
    let mut log = Log::new(options.listen.quiet);
    reset_inherited().context(Call::Signals)?;
    let listener = listen(options.listen.address(), options.listen.backlog)?;
    signals::install(&listener).context(Call::Signals)?;
    log.notice(Message::Listening(local_address(&listener)?));
    serve(&listener, &mut log);
    Ok(())
}

fn serve(listener: &OwnedFd, log: &mut Log) {
    let mut backoff = Backoff::default();
    let mut signal = None;
    while signal.is_none() {
        log.flush();
        let served = accept(listener).map(|(client, peer)| {
            log.info(Message::Connected(peer));
            serve_client(client, log);
        });
        signal = signals::received();
        if let Some(signal) = signal {
            log.notice(Message::ShuttingDown(signal));
        }
        match served {
            Ok(()) => log.info(Message::Ended(None)),
            // The signal has shut the listener down: EINVAL.
            Err(_) if signal.is_some() => {}
            Err(error) if is_connection_error(&error) => {}
            Err(source) => {
                let error = Error { call: Call::Accept, source };
                sleep(backoff.start(&error, log));
            }
        }
    }
}

/// Serves one client to its end. An error here is the end of this client's
/// connection and of nothing else.
fn serve_client(client: OwnedFd, log: &mut Log) {
    signals::set_client(&client);
    let shutting_down = || signals::received().is_some();
    match serve_connection(&client, shutting_down, log) {
        Ok(()) if shutting_down() => {}
        Ok(()) => log.info(Message::PeerClosed),
        Err(error) => log.warn(&error),
    }
    signals::clear_client();
    drop(client); // close(2)
}
