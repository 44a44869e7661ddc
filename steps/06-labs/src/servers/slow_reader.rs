//! Two event loops that a client which never reads is too much for: the lab
//! `slow-reader`.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};

use blocking::{accept, recv, send_all};
use epoll::{Interest, Poller, Trigger};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use protocol::{Conversation, Result};

use crate::watch::watch;

/// A naive event loop: the sockets are blocking, and so `send` waits.
// ANCHOR: replies
pub(crate) fn block_in_send(listener: &OwnedFd) -> Result<()> {
    serve_all(listener, |client, replies| {
        let sent = send_all(client, replies).is_ok();
        replies.clear();
        sent
    })
}

/// Another: what can't be sent yet is kept, however much that is.
pub(crate) fn keep_everything(listener: &OwnedFd) -> Result<()> {
    serve_all(listener, |client, replies| {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(client.as_raw_fd(), replies, flags) {
            Ok(taken) => drop(replies.drain(..taken)),
            Err(Errno::EAGAIN) => {} // and nothing limits `replies`
            Err(_) => return false,
        }
        true
    })
}
// ANCHOR_END: replies

/// What both do: read from each client that has sent something, and `reply`.
// ANCHOR: naive
fn serve_all(
    listener: &OwnedFd,
    reply: impl Fn(&OwnedFd, &mut Vec<u8>) -> bool,
) -> Result<()> {
    let mut poller = Poller::new(Trigger::Level)?;
    let mut clients = HashMap::new();
    let (mut buffer, mut events) = ([0; 4_096], Vec::new());
    let listening = watch(&poller, listener, Interest::READABLE)?;
    loop {
        poller.wait(&mut events, None)?;
        for event in &events {
            let token = event.token;
            if token == listening {
                if let Ok((client, _)) = accept(listener) {
                    let token = watch(&poller, &client, Interest::READABLE)?;
                    let state = (client, Conversation::default(), Vec::new());
                    clients.insert(token, state);
                }
            } else if let Some((client, talk, replies)) =
                clients.get_mut(&token)
            {
                let count = recv(&*client, &mut buffer).unwrap_or(0);
                talk.feed(&buffer[..count], replies, |_, _| {});
                if count == 0 || !reply(client, replies) {
                    clients.remove(&token);
                }
            }
        }
    }
}
// ANCHOR_END: naive
