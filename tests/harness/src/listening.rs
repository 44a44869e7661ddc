//! Where a server listens; or why it does not.

use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitStatus;
use std::time::Duration;

use crate::port::ReservedPort;
use crate::stderr::message;
use crate::{CaseError, CaseResult, Process, poll_until, shown};

/// How often to try with another port when the one we chose was taken.
const TRIES: usize = 3;
/// How long to wait for the last words of a server that has ended.
const BRIEFLY: Duration = Duration::from_secs(2);

/// The address at the end of the first line.
pub(crate) fn announced(
    process: &Process,
    timeout: Duration,
) -> Result<SocketAddr, CaseError> {
    let line = process.stdout.first_line(timeout);
    let word = line.split_whitespace().next_back().unwrap_or_default();
    word.parse().map_err(|_| {
        CaseError::new("the server does not say where it listens")
            .expected("a first line that ends with its address")
            .came(shown(line.as_bytes()))
            .with("stderr", last_words(process))
    })
}

/// Starts a server with `spawn` on a port that is free, and waits until it
/// listens there.
pub(crate) fn on_some_port(
    spawn: impl Fn(u16) -> Result<Process, CaseError>,
    timeout: Duration,
) -> Result<(Process, ReservedPort), CaseError> {
    let mut tried = 1;
    loop {
        let port = ReservedPort::new()?;
        let address = port.address();
        let process = spawn(address.port())?;
        let listening = wait_until_it_listens(&process, address, timeout);
        // Between our choice and its `bind` the port can become a stranger's.
        let failed = process.ended()?.is_some_and(|status| !status.success());
        if listening.is_err() && failed && tried < TRIES {
            tried += 1;
            continue;
        }
        return listening.map(|()| (process, port));
    }
}

/// Tries to connect until that succeeds: nothing else says of any server that
/// it is ready.
fn wait_until_it_listens(
    process: &Process,
    address: SocketAddr,
    timeout: Duration,
) -> CaseResult {
    let connected = poll_until(timeout, || {
        let status = process.ended()?;
        if let Some(status) = status.filter(|status| !status.success()) {
            return Err(ended_early(process, status));
        }
        Ok(TcpStream::connect(address).ok().filter(is_to_another))
    })?;
    match (connected, process.ended()?) {
        (Some(_), None) => Ok(()),
        (None, None) => Err(not_listening(process, address, timeout)),
        // It may have left a daemon behind.
        (_, Some(status)) => process
            .find_daemon(address.port())
            .and(Err(ended_early(process, status))),
    }
}

fn ended_early(process: &Process, status: ExitStatus) -> CaseError {
    CaseError::new(format!("the server ended before it listened: {status}"))
        .with("stderr", last_words(process))
}

/// Where it listens instead, as far as can be seen.
fn not_listening(
    process: &Process,
    address: SocketAddr,
    timeout: Duration,
) -> CaseError {
    let port = address.port();
    let on_ipv6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let problem = "the server does not listen on the port that it was given";
    let (problem, came) = if TcpStream::connect(on_ipv6).is_ok() {
        let problem = "the server listens on IPv6 alone, and the suite \
                       connects to 127.0.0.1";
        (problem, format!("a listener on {on_ipv6}"))
    } else {
        let ports: Vec<_> =
            process.listening_ports().iter().map(u16::to_string).collect();
        let came = match ports[..] {
            [] => format!(
                "no listener within {timeout:?}; a server that takes longer \
                 to start needs a longer --timeout"
            ),
            _ => format!(
                "it listens on port {}: is {{port}}, or $PORT, in the command?",
                ports.join(" and ")
            ),
        };
        (problem, came)
    };
    CaseError::new(problem)
        .expected(format!("a listener on {address}"))
        .came(came)
        .with("stderr", message(&process.stderr.text()))
}

fn last_words(process: &Process) -> String {
    message(&process.stderr.wait_for(BRIEFLY, |_| false))
}

/// A connection to a port from that same port reaches itself, with no listener
/// at all: TCP allows two ends to open at the same time.
fn is_to_another(stream: &TcpStream) -> bool {
    stream.local_addr().ok() != stream.peer_addr().ok()
}
