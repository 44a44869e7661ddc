//! From one state of a connection to the next.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use epoll::Session;
use protocol::Log;

type Result = std::result::Result<(), Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(8);
const OUTBOX_LIMIT: usize = 65_536;
const DRAIN_BYTES: usize = 65_536;

/// The server's end of a connection, and the client's.
fn connection() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener.accept()?.0, client))
}

fn interest(session: &Session) -> (bool, bool) {
    let interest = session.interest();
    (interest.readable, interest.writable)
}

#[test]
fn what_is_being_sent_counts_as_unsent() {
    let mut session = Session::new(Instant::now());
    assert_eq!(interest(&session), (true, false));
    for (waiting, in_flight, readable) in [
        (1, 0, true),
        (0, 1, true),
        (OUTBOX_LIMIT, 0, true),
        (0, OUTBOX_LIMIT, true),
        (1, OUTBOX_LIMIT, false),
        (OUTBOX_LIMIT, 1, false),
    ] {
        session.outbox = vec![0; waiting];
        session.in_flight = in_flight;
        let expected = (readable, true);
        assert_eq!(interest(&session), expected, "{waiting} + {in_flight}");
    }
}

#[test]
fn a_drained_client_is_answered_and_then_waited_for_until_its_fin() -> Result {
    let (socket, _client) = connection()?;
    let (mut session, mut log) = (Session::new(Instant::now()), Log::new(true));
    session.linger(&socket, || true);
    assert_eq!(interest(&session), (true, false), "it was not to be drained");
    session.drain();
    session.answer(b"ping\n", &mut log);
    assert_eq!(session.outbox, b"pong\n");
    session.linger(&socket, || true);
    assert_eq!(interest(&session), (true, true), "a reply is unsent");
    session.outbox.clear();
    session.in_flight = 1;
    session.linger(&socket, || true);
    assert_eq!(interest(&session), (true, true), "a reply is being sent");
    session.in_flight = 0;
    session.linger(&socket, || false);
    assert_eq!(interest(&session), (true, true), "more may have arrived");
    session.linger(&socket, || true);
    assert_eq!(interest(&session), (true, false), "our FIN is sent");
    session.answer(b"ping\n", &mut log);
    assert_eq!(session.outbox, b"", "what comes later is dropped");
    assert!(!session.is_finished());
    session.answer(b"", &mut log);
    assert!(session.is_finished() && !session.is_ended());
    Ok(())
}

#[test]
fn a_client_that_sends_without_end_is_drained_all_the_same() -> Result {
    let (socket, _client) = connection()?;
    let (mut session, mut log) = (Session::new(Instant::now()), Log::new(true));
    session.drain();
    session.answer(&vec![b'z'; DRAIN_BYTES - 1], &mut log);
    session.linger(&socket, || false);
    assert_eq!(interest(&session), (true, true), "a byte is still answered");
    session.answer(b"z\n", &mut log);
    session.outbox.clear();
    session.answer(b"ping\n", &mut log);
    assert_eq!(session.outbox, b"", "no byte is answered any more");
    session.linger(&socket, || false);
    assert_eq!(interest(&session), (true, false), "our FIN is sent");
    Ok(())
}

#[test]
fn an_idle_client_gets_our_fin_and_is_closed_a_timeout_later() -> Result {
    let (socket, _client) = connection()?;
    let start = Instant::now();
    let (mut session, mut log) = (Session::new(start), Log::new(true));
    let (first, second) = (start + TIMEOUT, start + TIMEOUT * 2);
    let moment = Duration::from_millis(1);
    for (now, draining, ended) in [
        (first - moment, false, false),
        (first, true, false),
        (second - moment, true, false),
        (second, true, true),
    ] {
        session.check_idle(&socket, TIMEOUT, now, &mut log);
        let is_draining = session.interest().writable || ended;
        assert_eq!((is_draining, session.is_ended()), (draining, ended));
    }
    assert!(session.is_finished());
    assert_eq!(interest(&session), (false, false));
    Ok(())
}
