//! What if clients come faster than `accept`?
//!
//! Then they wait in the accept queue, which `listen(fd, backlog)` bounds. Once
//! it is full the kernel drops the next client's SYN without a word, and the
//! client's kernel sends it again a second later: a whole second for a server
//! that was busy for a few milliseconds. `man 2 listen`.

use std::collections::HashMap;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use epoll::{Interest, Poller, Trigger};
use serde::Serialize;

use crate::client::begin_connect;
use crate::figures::{decimal, median, quantile, seconds};
use crate::report::Report;
use crate::server::Server;
use compare::report::plot::{Format, Plot, Series, Style};
use compare::target::netstat::{Counters, counted_since};

const BACKLOGS: [&str; 2] = ["5", "4096"];
/// A client comes every two milliseconds, for a second.
const CLIENTS: u32 = 500;
const INTERVAL: Duration = Duration::from_millis(2);
/// Twice the server stands still for a moment.
const PAUSES: [Duration; 2] =
    [Duration::from_millis(200), Duration::from_millis(600)];
const PAUSE: Duration = Duration::from_millis(50);
const GIVE_UP: Duration = Duration::from_millis(4_500);
/// A connect that took so long was sent a second SYN.
const LATE: f64 = 0.9;

enum Step {
    Connect,
    Pause,
    Resume,
}

#[derive(Debug, Serialize)]
struct Row {
    backlog: &'static str,
    median_s: f64,
    slowest_s: f64,
    /// That took 0.9 s or more, or never ended.
    late: usize,
    listen_overflows: u64,
    listen_drops: u64,
    tcp_timeouts: u64,
}

/// The same clients and the same pauses, with a backlog of 5 and of 4096.
pub(crate) fn run(report: &mut Report<'_>) -> Result<()> {
    report.line(format!(
        "{CLIENTS} clients connect to 02-threads, one every {INTERVAL:?}. \
         Twice we stop it for {PAUSE:?},\nas a page fault or a busy machine \
         would.\n",
    ));
    let (mut rows, mut series) = (Vec::new(), Vec::new());
    for backlog in BACKLOGS {
        report.line(format!("  listen(fd, {backlog}) …"));
        let (seen, points) = measure(backlog)?;
        show_delays(report, &points);
        series.push((format!("backlog {backlog}"), points));
        rows.push(seen);
    }
    report.finish(&rows, &verdict(&rows));
    report.plot(&plot(series))
}

fn measure(backlog: &'static str) -> Result<(Row, Vec<(f64, f64)>)> {
    let server = Server::start("02-threads", &["--backlog", backlog])?;
    let before = counted_since(&Counters::new());
    let points = connect_all(&server)?;
    let counted = counted_since(&before);
    let took: Vec<_> = points.iter().map(|&(_, took)| took).collect();
    let in_time = took.iter().filter(|&&took| took < LATE).count();
    let seen = Row {
        backlog,
        median_s: median(&took),
        slowest_s: quantile(&took, 1.0),
        late: CLIENTS as usize - in_time,
        listen_overflows: counted["ListenOverflows"],
        listen_drops: counted["ListenDrops"],
        tcp_timeouts: counted["TCPTimeouts"],
    };
    Ok((seen, points))
}

/// Connects, pauses and resumes as planned, in one event loop. Says of each
/// connection when it was begun and how long it took, in seconds.
fn connect_all(server: &Server) -> Result<Vec<(f64, f64)>> {
    let mut plan = plan().into_iter().peekable();
    let mut poller = Poller::new(Trigger::Edge)?;
    let mut on_the_way: HashMap<u64, (TcpStream, Duration)> = HashMap::new();
    let (mut connected, mut events) = (Vec::new(), Vec::new());
    let writable = Interest { readable: false, writable: true };
    let start = Instant::now();
    while (plan.peek().is_some() || !on_the_way.is_empty())
        && start.elapsed() < GIVE_UP
    {
        let is_due = |(due, _): &(Duration, Step)| *due <= start.elapsed();
        while let Some((_, step)) = plan.next_if(is_due) {
            match step {
                Step::Pause => server.pause()?,
                Step::Resume => server.resume()?,
                Step::Connect => {
                    let begun = start.elapsed();
                    let socket = begin_connect(server.address)?;
                    // The number of a descriptor is its token.
                    let token = socket.as_raw_fd() as u64;
                    poller.register(&socket, token, writable)?;
                    on_the_way.insert(token, (socket, begun));
                }
            }
        }
        let next = plan.peek().map_or(GIVE_UP, |(due, _)| *due);
        let timeout = next.saturating_sub(start.elapsed());
        poller.wait(&mut events, Some(timeout))?;
        for event in &events {
            if let Some((socket, begun)) = on_the_way.remove(&event.token)
                && socket.take_error()?.is_none()
            {
                let took = start.elapsed() - begun;
                connected.push((begun.as_secs_f64(), took.as_secs_f64()));
            }
        }
    }
    Ok(connected)
}

fn plan() -> Vec<(Duration, Step)> {
    let mut plan: Vec<_> =
        (0..CLIENTS).map(|n| (INTERVAL * n, Step::Connect)).collect();
    for at in PAUSES {
        plan.push((at, Step::Pause));
        plan.push((at + PAUSE, Step::Resume));
    }
    plan.sort_by_key(|(due, _)| *due);
    plan
}

fn show_delays(report: &mut Report<'_>, points: &[(f64, f64)]) {
    for second in 0..GIVE_UP.as_secs() {
        let of_second = |&&(_, took): &&(f64, f64)| {
            (took + 1.0 - LATE).floor() == second as f64
        };
        let count = points.iter().filter(of_second).count();
        if count > 0 {
            report.line(format!("    about {second} s: {count} clients"));
        }
    }
}

fn plot(series: Vec<Series>) -> Plot {
    let title = "How long connect took, while the server stood still twice";
    let in_seconds: Format = |value| format!("{} s", decimal(value));
    let x = ("when the client came", in_seconds);
    let y = ("until it was connected", in_seconds);
    Plot::linear(title, x, y, Style::Points, series)
}

fn verdict(rows: &[Row]) -> String {
    let [short, long] = rows else { return String::new() };
    let first = if short.late > 0 {
        format!(
            "With a backlog of 5 the kernel found the queue full {} times, and \
             {} clients waited for a second or more, though the server was \
             away for milliseconds.",
            short.listen_overflows, short.late
        )
    } else {
        format!("This time {PAUSE:?} did not fill even the queue of 5.")
    };
    let second = match long.late {
        0 => "the same clients were all connected at once".into(),
        late => format!("{late} waited as well: see net.core.somaxconn"),
    };
    let slowest = seconds(long.slowest_s);
    format!("{first} With 4096 {second} (the slowest after {slowest}).")
}
