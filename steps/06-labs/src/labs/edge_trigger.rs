//! What if you read only once?
//!
//! Edge-triggered epoll reports that a descriptor *became* ready. A server that
//! reads once and leaves the rest waits for an event that does not come, since
//! nothing becomes ready that was ready already: the client hangs, and so does
//! the server, each waiting for the other. `man 7 epoll`.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::client::{connect, hear, lines};
use crate::report::Report;
use crate::server::Server;

/// Silence for so long is a hang.
const TIMEOUT: Duration = Duration::from_millis(800);
const PINGS: usize = 600;
const CLIENTS: usize = 3;

#[derive(Debug, Serialize)]
struct Row {
    server: &'static str,
    trigger: &'static str,
    /// Of [`PINGS`], sent in one write.
    replies: usize,
    /// Of [`CLIENTS`] that came in the same moment.
    served: usize,
}

/// The naive server and step 04, each in both modes.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "One client sends {PINGS} pings in one write, which is more than a \
         recv takes.\nThen {CLIENTS} clients come in the same moment. Where \
         nothing comes back for {TIMEOUT:?},\nwe call it a hang."
    ));
    let mut rows = Vec::new();
    for name in ["read-once", "04-epoll"] {
        for mode in ["edge", "level"] {
            let server = Server::start(name, &["--trigger", mode])?;
            let replies = replies_to_many(&server)?;
            let served = clients_served(&server)?;
            let hung = replies < PINGS || served < CLIENTS;
            let end = if hung { "hangs" } else { "answers all" };
            report.line(format!("  {name}, {mode}-triggered: {end}"));
            rows.push(Row { server: name, trigger: mode, replies, served });
        }
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn replies_to_many(server: &Server) -> Result<usize> {
    let mut stream = connect(server.address, TIMEOUT)?;
    stream.write_all(&b"ping\n".repeat(PINGS))?;
    Ok(lines(&hear(&stream, PINGS)?))
}

fn clients_served(server: &Server) -> Result<usize> {
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

fn verdict(rows: &[Row]) -> String {
    let [edge, level, drained @ ..] = rows else { return String::new() };
    let whole = |row: &Row| row.replies == PINGS && row.served == CLIENTS;
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
#[path = "../../tests/unit/edge_trigger.rs"]
mod tests;
