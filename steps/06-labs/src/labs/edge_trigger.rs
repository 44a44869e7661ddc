//! What if you read only once?
//!
//! Edge-triggered epoll reports that a descriptor *became* ready. Whoever reads
//! once and leaves the rest waits for an event that does not come, since
//! nothing becomes ready that was ready already: the client hangs, and so does
//! the server, each waiting for the other. `man 7 epoll`.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use blocking::{accept_nonblocking, recv, send_all};
use epoll::{Interest, Poller, Trigger};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use protocol::{Call, Conversation, Error, ResultExt};
use serde::Serialize;

use crate::client::{connect, hear, lines};
use crate::page::{Page, Row};
use crate::serve::Who;
use crate::server::Server;
use crate::trouble::Trouble;
use crate::watch::watch;

/// Silence for so long is a hang.
const TIMEOUT: Duration = Duration::from_millis(800);
const PINGS: usize = 600;
const CLIENTS: usize = 3;

/// The naive server: one `accept` and one `recv` an event.
// ANCHOR: naive
pub(crate) fn serve_once(
    listener: &OwnedFd,
    trigger: Trigger,
) -> Result<(), Error> {
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

#[derive(Debug, Serialize)]
struct Seen {
    server: &'static str,
    trigger: &'static str,
    /// Of [`PINGS`], sent in one write.
    replies: usize,
    /// Of [`CLIENTS`] that came in the same moment.
    served: usize,
}

impl Row for Seen {
    fn cells(&self) -> Vec<(&'static str, String)> {
        vec![
            ("server", self.server.into()),
            ("epoll", self.trigger.into()),
            ("replies", format!("{} of {PINGS}", self.replies)),
            ("clients served", format!("{} of {CLIENTS}", self.served)),
        ]
    }
}

/// The naive server and step 04, each in both modes.
pub(crate) fn run(page: &mut Page<'_>) -> Result<(), Trouble> {
    page.say(format!(
        "One client sends {PINGS} pings in one write, which is more than a \
         recv takes.\nThen {CLIENTS} clients come in the same moment. Where \
         nothing comes back for {TIMEOUT:?},\nwe call it a hang."
    ));
    let mut rows = Vec::new();
    for (name, who) in [("reads once", Who::Once), ("04-epoll", Who::Epoll)] {
        for mode in ["edge", "level"] {
            let server = Server::start_with(who, &["--trigger", mode])?;
            let replies = replies_to_many(&server)?;
            let served = clients_served(&server)?;
            let hung = replies < PINGS || served < CLIENTS;
            let end = if hung { "hangs" } else { "answers all" };
            page.say(format!("  {name}, {mode}-triggered: {end}"));
            rows.push(Seen { server: name, trigger: mode, replies, served });
        }
    }
    page.conclude(&rows, &verdict(&rows));
    Ok(())
}

// ANCHOR: experiments
fn replies_to_many(server: &Server) -> Result<usize, Trouble> {
    let mut stream = connect(server.address, TIMEOUT)?;
    stream.write_all(&b"ping\n".repeat(PINGS))?;
    Ok(lines(&hear(&stream, PINGS)?))
}

fn clients_served(server: &Server) -> Result<usize, Trouble> {
    server.pause()?; // so that they are all there at its next look
    let clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| connect(server.address, TIMEOUT))
        .collect::<Result<_, _>>()?;
    for mut client in &clients {
        client.write_all(b"ping\n")?;
    }
    server.resume()?;
    let served =
        |client: &&TcpStream| hear(client, 1).is_ok_and(|r| lines(&r) == 1);
    Ok(clients.iter().take_while(served).count())
}
// ANCHOR_END: experiments

fn verdict(rows: &[Seen]) -> String {
    let [edge, level, drained @ ..] = rows else { return String::new() };
    let whole = |row: &Seen| row.replies == PINGS && row.served == CLIENTS;
    let first = if whole(edge) {
        "This time even edge-triggered epoll reported all that was left.".into()
    } else {
        format!(
            "Edge-triggered, {} of {PINGS} replies and {} of {CLIENTS} clients \
             are all you get: what was left unread raises no second event{}.",
            edge.replies,
            edge.served,
            if whole(level) { ", while level-triggered does" } else { "" }
        )
    };
    let second = if drained.iter().all(whole) {
        "Step 04 answers all in both modes, since it reads and accepts until \
         there is nothing left."
    } else {
        "But step 04 left something unanswered too, which it must not: please \
         report it."
    };
    format!("{first} {second}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_run() {
        let row =
            |replies, served| Seen { server: "", trigger: "", replies, served };
        let all = || row(PINGS, CLIENTS);
        let hung = verdict(&[row(204, 1), all(), all(), all()]);
        assert!(hung.contains("while level-triggered does"), "{hung}");
        let whole = verdict(&[all(), all(), all(), all()]);
        assert!(whole.starts_with("This time even edge"), "{whole}");
        let ours = verdict(&[row(204, 1), all(), row(204, 3), all()]);
        assert!(ours.ends_with("please report it."), "{ours}");
    }
}
