//! What if `accept` says EMFILE?
//!
//! A process may have so many descriptors (`ulimit -n`) and no more. The client
//! for which there is none stays in the accept queue, so the listener stays
//! readable: a server that calls `accept` again at once is told EMFILE at once,
//! and again, as fast as the CPU goes.

use std::io::{self, BufRead, BufReader};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::client::{ask, connect, hear_pong};
use crate::figures::count;
use crate::report::Report;
use crate::server::{Server, serve};

const DESCRIPTORS: &str = "32";
/// Descriptors are to run out, and not to be counted beforehand.
const OPTIONS: [&str; 4] =
    ["--descriptors", DESCRIPTORS, "--max-connections", "1000"];
/// More than the server can have: the last ones wait in the accept queue.
const CLIENTS: usize = 40;
/// How long the server is watched.
const WATCHED: Duration = Duration::from_millis(700);
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Serialize)]
struct Row {
    server: &'static str,
    /// Of [`CLIENTS`].
    served: usize,
    /// While no client sent anything, of one core.
    cpu_percent: f64,
    errors_logged: usize,
    /// Whether clients got their pong in that state, and how late at most.
    worst_reply_s: f64,
    /// From when a client left until one that waited was served.
    next_served_s: Option<f64>,
}

/// More clients than descriptors, for a naive server and for steps 02 and 04.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "Each server may have {DESCRIPTORS} descriptors; {CLIENTS} clients \
         connect.\nWe watch for {WATCHED:?}, say nothing, then let one leave."
    ));
    let mut rows = Vec::new();
    for name in ["spin-on-emfile", "02-threads", "04-epoll"] {
        report.line(format!("  {name} …"));
        rows.push(crowd(name)?);
    }
    report.finish(&rows, &verdict(&rows));
    Ok(())
}

fn crowd(name: &'static str) -> Result<Row> {
    let mut command = serve(name, &OPTIONS);
    let mut server = Server::spawn(command.stderr(Stdio::piped()), name)?;
    let stderr = server.take_stderr().map(BufReader::new);
    let counter = Builder::new().spawn(move || {
        stderr.map_or(0, |stderr| stderr.split(b'\n').count())
    })?;
    // The kernel completes every handshake: all of them connect.
    let mut clients = (0..CLIENTS)
        .map(|_| connect(server.address, TIMEOUT))
        .collect::<io::Result<Vec<_>>>()?;
    let served = count_served(&clients);
    let (start, cpu) = (Instant::now(), server.cpu_time());
    thread::sleep(WATCHED);
    let spent = server.cpu_time() - cpu;
    let cpu_percent = spent.div_duration_f64(start.elapsed()) * 100.0;
    let replies = clients[..served].iter().map(ask);
    let worst = replies.collect::<io::Result<Vec<_>>>()?.into_iter().max();

    let waiting = clients.split_off(served);
    let left = Instant::now();
    clients.pop(); // close(2): the server gets a descriptor back
    let next = waiting.first().and_then(|client| hear_pong(client).ok());
    let next_served_s = next.map(|()| left.elapsed().as_secs_f64());
    drop(server); // the end of the counter's pipe
    Ok(Row {
        server: name,
        served,
        cpu_percent,
        errors_logged: counter.join().unwrap_or_default(),
        worst_reply_s: worst.unwrap_or_default().as_secs_f64(),
        next_served_s,
    })
}

/// All clients send a ping. The accept queue is in the order in which they
/// came: the first that gets no pong in time is the first that waits.
fn count_served(clients: &[TcpStream]) -> usize {
    let timeout = Some(Duration::from_millis(500));
    let served = |client: &&TcpStream| {
        let heard = client.set_read_timeout(timeout).and_then(|()| ask(client));
        let _ = client.set_read_timeout(Some(TIMEOUT));
        heard.is_ok()
    };
    clients.iter().take_while(served).count()
}

fn verdict(rows: &[Row]) -> String {
    let [naive, threads, epoll] = rows else { return String::new() };
    let others = threads.cpu_percent.max(epoll.cpu_percent);
    let first = if naive.cpu_percent > 5.0 * others {
        format!(
            "The naive server burnt {:.0} % of a core to say {} times that it \
             can't, while no client asked it anything.",
            naive.cpu_percent,
            count(naive.errors_logged)
        )
    } else {
        "The naive server did not spin this time, though nothing keeps it from \
         doing so."
            .into()
    };
    let often = match threads.errors_logged.max(epoll.errors_logged) {
        1 => "once".into(),
        most => format!("{most} times"),
    };
    let all_in = [threads, epoll].iter().all(|row| row.next_served_s.is_some());
    let next = if all_in { "took" } else { "did not all take" };
    format!(
        "{first} Those that leave accept alone until a connection closes used \
         {others:.1} %, logged the error {often}, and {next} the next client when a \
         descriptor was free."
    )
}

#[cfg(test)]
#[path = "../../tests/unit/descriptors.rs"]
mod tests;
