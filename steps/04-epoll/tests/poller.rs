//! What a poller reports, and how often. `man 7 epoll`.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use epoll::{Event, Interest, Poller, Trigger};

type Result = std::result::Result<(), Box<dyn Error>>;

const TOKEN: u64 = 7;
const NOT_AT_ALL: Option<Duration> = Some(Duration::ZERO);
const WRITABLE: Interest = Interest { readable: false, writable: true };

/// What is ready now: the token, and whether something follows the bytes.
fn ready(poller: &mut Poller) -> protocol::Result<Vec<(u64, bool)>> {
    let mut events = Vec::new();
    poller.wait(&mut events, NOT_AT_ALL)?;
    let pair = |event: &Event| (event.token, event.hang_up);
    Ok(events.iter().map(pair).collect())
}

#[test]
fn what_is_left_unread_is_reported_once_or_at_every_wait() -> Result {
    for (trigger, again) in
        [(Trigger::Edge, vec![]), (Trigger::Level, vec![(TOKEN, false)])]
    {
        let (mut peer, socket) = UnixStream::pair()?;
        let mut poller = Poller::new(trigger)?;
        poller.register(&socket, TOKEN, Interest::READABLE)?;
        assert_eq!(ready(&mut poller)?, [], "{trigger:?}");
        peer.write_all(b"ping")?;
        assert_eq!(ready(&mut poller)?, [(TOKEN, false)], "{trigger:?}");
        assert_eq!(ready(&mut poller)?, again, "{trigger:?}");
        // To register the same interest anew re-arms it.
        poller.reregister(&socket, TOKEN, Interest::READABLE)?;
        assert_eq!(ready(&mut poller)?, [(TOKEN, false)], "{trigger:?}");
    }
    Ok(())
}

#[test]
fn reports_only_what_it_was_asked_for() -> Result {
    let (mut peer, socket) = UnixStream::pair()?;
    let mut poller = Poller::new(Trigger::Level)?;
    poller.register(&socket, TOKEN, WRITABLE)?;
    assert_eq!(ready(&mut poller)?, [(TOKEN, false)]);
    poller.reregister(&socket, TOKEN, Interest::READABLE)?;
    assert_eq!(ready(&mut poller)?, []);
    peer.write_all(b"ping")?;
    assert_eq!(ready(&mut poller)?, [(TOKEN, false)]);
    Ok(())
}

#[test]
fn says_that_an_end_follows_the_bytes() -> Result {
    let (mut peer, mut socket) = UnixStream::pair()?;
    let mut poller = Poller::new(Trigger::Level)?;
    poller.register(&socket, TOKEN, Interest::READABLE)?;
    peer.write_all(b"ping")?;
    peer.shutdown(Shutdown::Write)?;
    socket.read_exact(&mut [0; 4])?;
    assert_eq!(ready(&mut poller)?, [(TOKEN, true)]);
    // Without a request for it, the end of the peer's output is no event.
    poller.reregister(&socket, TOKEN, WRITABLE)?;
    assert_eq!(ready(&mut poller)?, [(TOKEN, false)]);
    drop(peer);
    assert_eq!(ready(&mut poller)?, [(TOKEN, true)]);
    Ok(())
}

#[test]
fn waits_no_shorter_than_it_was_told() -> Result {
    let mut poller = Poller::new(Trigger::Edge)?;
    let mut events = Vec::new();
    for timeout in [Duration::from_micros(1), Duration::from_millis(20)] {
        let start = Instant::now();
        poller.wait(&mut events, Some(timeout))?;
        assert!(start.elapsed() >= timeout);
        assert!(events.is_empty());
    }
    // One that does not fit into milliseconds as the kernel counts them.
    let (mut peer, socket) = UnixStream::pair()?;
    poller.register(&socket, TOKEN, Interest::READABLE)?;
    peer.write_all(b"ping")?;
    poller.wait(&mut events, Some(Duration::from_secs(u64::MAX / 2)))?;
    assert_eq!(events.len(), 1);
    Ok(())
}
