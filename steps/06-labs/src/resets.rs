//! A server in a thread that counts the resets it is sent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::{Builder, JoinHandle};

use anyhow::Result;
use blocking::{
    accept, listen, local_address, recv, send_all, serve_connection,
};
use nix::sys::socket::{Shutdown, shutdown};
use protocol::{Log, PONG};

/// One client at a time, as in step 01.
#[derive(Debug)]
pub(crate) struct ResetCounter {
    listener: OwnedFd,
    pub(crate) address: SocketAddr,
    thread: JoinHandle<usize>,
}

impl ResetCounter {
    /// Listens on `port`: in a network of our own every port is free, and one
    /// that the kernel chose would be one of the client's few.
    pub(crate) fn start(port: u16, closes_first: bool) -> Result<Self> {
        let listener = listen((Ipv4Addr::LOCALHOST, port).into(), 4_096)?;
        let address = local_address(&listener)?;
        let own = listener.try_clone()?;
        let serve = move || serve(&own, closes_first);
        let thread = Builder::new().spawn(serve)?;
        Ok(Self { listener, address, thread })
    }

    /// Ends it, and says how many of its clients it saw end with ECONNRESET.
    pub(crate) fn resets(self) -> usize {
        // Wakes `accept`, which then fails.
        let _ = shutdown(self.listener.as_raw_fd(), Shutdown::Read);
        self.thread.join().unwrap_or_default()
    }
}

fn serve(listener: &OwnedFd, closes_first: bool) -> usize {
    let mut resets = 0;
    while let Ok((client, _)) = accept(listener) {
        if closes_first {
            // One request, and close(2).
            let _ = answer_once(&client);
        } else {
            // The conversation of step 01: until the client closes.
            let end = serve_connection(&client, || false, &mut Log::new(true));
            let errno = end.err().and_then(|e| e.source.raw_os_error());
            resets += usize::from(errno == Some(libc::ECONNRESET));
        }
    }
    resets
}

fn answer_once(client: &OwnedFd) -> io::Result<()> {
    recv(client, &mut [0; 16])?;
    send_all(client, PONG)
}
