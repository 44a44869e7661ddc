//! What if a client never reads?
//!
//! It sends and sends, and leaves the replies where they are. The kernel takes
//! some of them (the send buffer); from then on the server has to wait, to keep
//! them, or to stop reading from this client: back-pressure.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use blocking::{accept, recv, send_all};
use epoll::{Interest, Poller, Trigger};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send, setsockopt, sockopt};
use protocol::{Conversation, Error};
use serde::Serialize;

use crate::client::{ask, connect};
use crate::figures::{bytes, seconds};
use crate::page::{Page, Row};
use crate::serve::Who;
use crate::server::Server;
use crate::trouble::Trouble;
use crate::watch::watch;

/// What the client would like to send: empty lines, whose replies are 21 times
/// as long.
const FLOOD: usize = 4 * 1_024 * 1_024;
/// So that not all of it fits into its own kernel's send buffer.
const SEND_BUFFER: usize = 64 * 1_024;
/// It gives up when its `send` waits for so long.
const STUCK: Duration = Duration::from_millis(500);
/// How long the others wait for a pong.
const TIMEOUT: Duration = Duration::from_millis(1_000);
const REQUESTS: usize = 100;

/// A naive event loop: the sockets are blocking, and so `send` waits.
// ANCHOR: replies
pub(crate) fn wait_in_send(listener: &OwnedFd) -> Result<(), Error> {
    serve_all(listener, |client, replies| {
        let sent = send_all(client, replies).is_ok();
        replies.clear();
        sent
    })
}

/// Another: what can't be sent yet is kept, however much that is.
pub(crate) fn hoard(listener: &OwnedFd) -> Result<(), Error> {
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
) -> Result<(), Error> {
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

#[derive(Debug, Serialize)]
struct Seen {
    server: &'static str,
    /// Bytes that the slow reader could send.
    flooded: usize,
    /// By how many bytes the server's memory grew.
    grown: u64,
    /// Of the others' requests.
    answered: usize,
    slowest_s: f64,
}

impl Row for Seen {
    fn cells(&self) -> Vec<(&'static str, String)> {
        vec![
            ("server", self.server.into()),
            ("taken from the flood", bytes(self.flooded as f64)),
            ("memory grew by", bytes(self.grown as f64)),
            ("others' pongs", format!("{} of {REQUESTS}", self.answered)),
            ("slowest", seconds(self.slowest_s)),
        ]
    }
}

/// Two naive servers, and steps 02 and 04.
pub(crate) fn run(page: &mut Page<'_>) -> Result<(), Trouble> {
    page.say(format!(
        "One client sends {} of empty lines and never reads a reply, which \
         are\n21 bytes each. Then another one sends {REQUESTS} pings.\n",
        bytes(FLOOD as f64)
    ));
    let mut rows = Vec::new();
    for (name, who) in [
        ("waits in send", Who::WaitInSend),
        ("keeps it all", Who::Hoard),
        ("02-threads", Who::Threads),
        ("04-epoll", Who::Epoll),
    ] {
        let seen = flood(name, who)?;
        let answered = seen.answered;
        page.say(format!("  {name}: {answered} pongs for the other client"));
        rows.push(seen);
    }
    page.conclude(&rows, &verdict(&rows));
    Ok(())
}

// ANCHOR: flood
fn flood(server: &'static str, who: Who) -> Result<Seen, Trouble> {
    let process = Server::start(who)?;
    let warm = connect(process.address, TIMEOUT)?;
    ask(&warm)?;
    let before = process.status("VmRSS");
    let slow = connect(process.address, STUCK)?;
    setsockopt(&slow, sockopt::SndBuf, &SEND_BUFFER)?;
    let flooded = send_until_stuck(&slow);

    let other = connect(process.address, TIMEOUT)?;
    let pongs: Vec<_> = (0..REQUESTS).map_while(|_| ask(&other).ok()).collect();
    let slowest = match pongs.len() {
        REQUESTS => pongs.iter().max().copied().unwrap_or_default(),
        _ => TIMEOUT, // and no end to it
    };
    process.wait_until_idle();
    Ok(Seen {
        server,
        flooded,
        grown: process.status("VmHWM").saturating_sub(before),
        answered: pongs.len(),
        slowest_s: slowest.as_secs_f64(),
    })
}

/// Says how many bytes the kernel and the server took.
fn send_until_stuck(mut slow: &TcpStream) -> usize {
    let lines = [b'\n'; 4_096];
    let mut sent = 0;
    while sent < FLOOD {
        match slow.write(&lines) {
            Ok(count) => sent += count,
            Err(_) => break, // EAGAIN: its send has waited for STUCK
        }
    }
    sent
}
// ANCHOR_END: flood

fn verdict(rows: &[Seen]) -> String {
    let [waits, keeps, _, epoll] = rows else { return String::new() };
    let grown = |row: &Seen| bytes(row.grown as f64);
    let taken = match epoll.flooded {
        FLOOD.. => "read all that it sent".into(),
        taken => format!("stopped reading after {}", bytes(taken as f64)),
    };
    format!(
        "A server that waits for it gave the other client {} of {REQUESTS} \
         pongs, and one that keeps the replies grew by {}. Step 04 {taken}, \
         grew by {}, and gave the other client {}.",
        waits.answered,
        grown(keeps),
        grown(epoll),
        epoll.answered
    )
}
