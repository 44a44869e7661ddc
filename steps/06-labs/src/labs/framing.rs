//! Is one `recv` one message?
//!
//! It looks that way as long as you type: one line, one segment, one `recv`.
//! But `recv` gives the bytes that have arrived, and TCP keeps no record of
//! which `send` they came from.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::client::{TIMEOUT, connect, hear, lines};
use crate::report::Report;
use crate::server::Server;

/// Between two writes, for a server that answers what has come so far.
const PAUSE: Duration = Duration::from_secs(1);

/// The same lines in writes, cut in three ways.
fn cuts() -> [(&'static str, Vec<Vec<u8>>); 3] {
    [
        ("3 lines in 1 write", vec![b"ping\nping\nhello\n".into()]),
        ("1 line in 2 writes", vec![b"pi".into(), b"ng\n".into()]),
        ("1,000 lines in 1 write", vec![b"ping\n".repeat(1_000)]),
    ]
}

/// One server's replies to one cut.
#[derive(Debug, Serialize)]
struct Row {
    sent: &'static str,
    server: &'static str,
    replies_due: usize,
    replies: usize,
}

/// Sends the same lines, cut in three ways, to a naive server and to step 04.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(
        "The same protocol, the same lines, cut in three ways. One server \
         takes\nwhat a recv brings for a message; the other looks for the \
         newlines.\n",
    );
    let servers = [
        ("one-recv", Server::start("one-recv", &[])?),
        ("04-epoll", Server::start("04-epoll", &[])?),
    ];
    let mut rows = Vec::new();
    for (sent, writes) in cuts() {
        for (server, process) in &servers {
            let stream = connect(process.address, TIMEOUT)?;
            let replies = converse(&stream, &writes)?;
            show(report, &writes, server, &replies);
            let replies_due = lines(&writes.concat());
            let replies = lines(&replies);
            rows.push(Row { sent, server, replies_due, replies });
        }
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

/// Makes the writes, one by one, and reads all replies.
fn converse(mut stream: &TcpStream, writes: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut replies = Vec::new();
    for (number, bytes) in writes.iter().enumerate() {
        if number > 0 {
            // Until the server has answered the last piece; at most a second.
            stream.set_read_timeout(Some(PAUSE))?;
            replies.extend(hear(stream, 1)?);
        }
        stream.write_all(bytes)?;
    }
    // Our FIN: the server answers what it has, and then closes.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    replies.extend(hear(stream, usize::MAX)?);
    Ok(replies)
}

fn show(
    report: &mut Report<'_>,
    writes: &[Vec<u8>],
    server: &str,
    replies: &[u8],
) {
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let few: String = text.chars().take(24).collect();
        let rest = if few.len() < text.len() { "…" } else { "" };
        format!("{few:?}{rest}")
    };
    let writes: Vec<_> = writes.iter().map(|bytes| shown(bytes)).collect();
    let (sent, heard) = (writes.join(", then "), shown(replies));
    report.line(format!("  to {server}: {sent}\n      replies: {heard}"));
}

fn verdict(rows: &[Row]) -> String {
    let wrong = |server: &str| {
        let of_server = rows.iter().filter(|row| row.server == server);
        of_server.filter(|row| row.replies != row.replies_due).count()
    };
    let (naive, framed) = (wrong("one-recv"), wrong("04-epoll"));
    let first = match naive {
        0 => "This time every recv happened to bring one line.".into(),
        _ => format!(
            "No: the server that thinks so gave the wrong number of replies to \
             {naive} of {} cuts.",
            rows.len() / 2
        ),
    };
    let second = if framed == 0 {
        "The one that looks for newlines gave a reply to each line, however \
         TCP brought it."
    } else {
        "But the one that looks for newlines went wrong too, which it must \
         not: please report it."
    };
    format!("{first} {second}")
}
