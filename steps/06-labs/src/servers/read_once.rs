//! Reads and accepts once an event: the lab `edge-trigger`.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use blocking::{accept_nonblocking, recv, send_all};
use epoll::{Interest, Poller, Trigger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Conversation, Result, ResultExt};

use crate::watch::watch;

/// The naive server: one `accept` and one `recv` an event.
// ANCHOR: naive
pub(crate) fn serve(listener: &OwnedFd, trigger: Trigger) -> Result<()> {
    fcntl(listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .context(Call::SetSockOpt)?;
    let mut poller = Poller::new(trigger)?;
    let mut clients: HashMap<u64, (OwnedFd, Conversation)> = HashMap::new();
    let listening = watch(&poller, listener, Interest::READABLE)?;
    let (mut buffer, mut events) = ([0; 1_023], Vec::new());
    loop {
        poller.wait(&mut events, None)?;
        for event in &events {
            let token = event.token;
            if token == listening {
                // Two more may wait in the queue.
                if let Ok((client, _)) = accept_nonblocking(listener) {
                    let token = watch(&poller, &client, Interest::READABLE)?;
                    clients.insert(token, (client, Conversation::default()));
                }
            } else if let Some((client, talk)) = clients.get_mut(&token) {
                // Two thousand bytes more may wait in the socket.
                let count = recv(&*client, &mut buffer).unwrap_or(0);
                let mut replies = Vec::new();
                talk.feed(&buffer[..count], &mut replies, |_, _| {});
                if count == 0 || send_all(&*client, &replies).is_err() {
                    clients.remove(&token);
                }
            }
        }
    }
}
// ANCHOR_END: naive
