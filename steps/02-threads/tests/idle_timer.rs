//! When a connection counts as idle.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use harness::poll_until;
use threads::IdleTimer;

type Result = std::result::Result<(), Box<dyn Error>>;

const TIMEOUT: Duration = Duration::from_secs(8);

fn connection() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

#[test]
fn looks_four_times_per_timeout_and_once_a_second_at_least() {
    for (timeout, interval) in [(1, 250), (2_000, 500_000), (60_000, 1_000_000)]
    {
        assert_eq!(
            IdleTimer::interval(Duration::from_millis(timeout)),
            Duration::from_micros(interval)
        );
    }
}

#[test]
fn is_expired_once_nothing_was_transferred_for_the_timeout() -> Result {
    let (_client, socket) = connection()?;
    let start = Instant::now();
    let mut timer = IdleTimer::new(start);
    let just_before = start + TIMEOUT - Duration::from_millis(1);
    assert!(!timer.is_expired(&socket, just_before, TIMEOUT));
    assert!(timer.is_expired(&socket, start + TIMEOUT, TIMEOUT));
    Ok(())
}

#[test]
fn begins_anew_when_bytes_arrive_and_when_they_are_taken() -> Result {
    let (mut client, mut socket) = connection()?;
    let mut now = Instant::now();
    let mut timer = IdleTimer::new(now);
    for from_client in [true, false] {
        let (from, to) = match from_client {
            true => (&mut client, &mut socket),
            false => (&mut socket, &mut client),
        };
        from.write_all(b"ping")?;
        to.read_exact(&mut [0; 4])?;
        now += TIMEOUT;
        // The acknowledgement may take a moment.
        let counted = poll_until(TIMEOUT, || {
            Ok((!timer.is_expired(&socket, now, TIMEOUT)).then_some(()))
        });
        assert!(counted?.is_some());
        now += TIMEOUT;
        assert!(timer.is_expired(&socket, now, TIMEOUT));
    }
    Ok(())
}
