//! Event loops that make a mistake each: the labs `edge-trigger` and
//! `slow-reader`.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use blocking::{accept, accept_nonblocking, recv, send_all};
use epoll::{Interest, Poller, Trigger, set_nonblocking};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use protocol::{Conversation, Result};

/// One `accept` and one `recv` an event, on sockets that do not block.
pub(crate) fn read_once(listener: &OwnedFd, trigger: Trigger) -> Result<()> {
    set_nonblocking(listener)?;
    serve_all(listener, trigger, |l| accept_nonblocking(l), send_whole)
}

/// The sockets are blocking, and so `send` waits.
pub(crate) fn block_in_send(listener: &OwnedFd) -> Result<()> {
    serve_all(listener, Trigger::Level, |l| accept(l), send_whole)
}

fn send_whole(client: &OwnedFd, replies: &mut Vec<u8>) -> bool {
    let sent = send_all(client, replies).is_ok();
    replies.clear();
    sent
}

/// What can't be sent yet is kept, however much that is.
pub(crate) fn keep_everything(listener: &OwnedFd) -> Result<()> {
    serve_all(
        listener,
        Trigger::Level,
        |l| accept(l),
        |client, replies| {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(client.as_raw_fd(), replies, flags) {
                Ok(taken) => drop(replies.drain(..taken)),
                Err(Errno::EAGAIN) => {} // and nothing limits `replies`
                Err(_) => return false,
            }
            true
        },
    )
}

/// What all do: read from each client that has sent something, and `reply`.
fn serve_all(
    listener: &OwnedFd,
    trigger: Trigger,
    accept: impl Fn(&OwnedFd) -> io::Result<(OwnedFd, SocketAddr)>,
    reply: impl Fn(&OwnedFd, &mut Vec<u8>) -> bool,
) -> Result<()> {
    let mut poller = Poller::new(trigger)?;
    let mut clients = HashMap::new();
    let (mut buffer, mut events) = ([0; 1_023], Vec::new());
    // The number of a descriptor is its token.
    let listening = listener.as_raw_fd() as u64;
    poller.register(listener, listening, Interest::READABLE)?;
    loop {
        poller.wait(&mut events, None)?;
        for event in &events {
            let token = event.token;
            if token == listening {
                // Two more may wait in the queue.
                if let Ok((client, _)) = accept(listener) {
                    let token = client.as_raw_fd() as u64;
                    poller.register(&client, token, Interest::READABLE)?;
                    let state = (client, Conversation::default(), Vec::new());
                    clients.insert(token, state);
                }
            } else if let Some((client, talk, replies)) =
                clients.get_mut(&token)
            {
                // Two thousand bytes more may wait in the socket.
                let count = recv(&*client, &mut buffer).unwrap_or(0);
                talk.feed(&buffer[..count], replies, |_, _| {});
                if count == 0 || !reply(client, replies) {
                    clients.remove(&token);
                }
            }
        }
    }
}
